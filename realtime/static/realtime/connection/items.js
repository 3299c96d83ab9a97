/** What the entries of a history come to where they change and delete one another: the things that are there now. */

const PAGE = 300; // entries of history asked for at once, the most there are

/**
 * Keep up with all that is there in the stream of `socket` (see socket.js). Entries of this `type` put something up or, with
 * a `target`, say it anew; `deleted` takes it away.
 * - `show(item)`: it is new, or was changed. An item is what was last said of it, and its `position`; always the same object.
 * - `remove(item)`: it is gone, or all begins anew.
 */
export function keepItems(socket, type, { show, remove }) {
  const items = new Map(); // by position

  /** What was said last counts: older entries may come after newer ones. */
  function take({ type, seq, target = seq, deleted = type === "deleted", ...said }) {
    const item = items.get(target) ?? { position: target, seq: 0 };
    items.set(target, item);
    if (seq === target) item.known = true; // what only its changes are left of is no more
    if (seq > item.seq) Object.assign(item, said, { seq, deleted });
    if (!item.known) return;
    if (!item.deleted) show(item);
    else if (item.shown) remove(item);
    item.shown = !item.deleted;
  }

  async function whole({ messages, more }) {
    messages.forEach(take);
    if (more) await whole(await socket.request({ action: "history", before: messages[0].seq, limit: PAGE }));
  }

  socket.on("joined", ({ messages, more, resumed }) => {
    if (!resumed) {
      for (const item of items.values()) if (item.shown) remove(item);
      items.clear();
    }
    whole({ messages, more: more && !resumed }).catch(() => {}); // the connection has ended for good, which its status tells
  });
  socket.on("replay", ({ messages }) => messages.forEach(take));
  socket.on(type, take);
  socket.on("deleted", take);
}
