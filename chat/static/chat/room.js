/** The room page: the socket's events on one side, the page's parts on the other. */

import { askBeforeLeaving } from "../realtime/page/leaving.js";
import { ready } from "../realtime/page/ready.js";
import { connectPage, part } from "../realtime/page/stream.js";
import { toast } from "../realtime/page/toast.js";
import { Card } from "./card.js";
import { compose } from "./composer.js";
import { Divider } from "./divider.js";
import { Draft } from "./draft.js";
import { People, Typing } from "./people.js";
import { unsentRow } from "./pending.js";
import { showRights } from "./rights.js";
import { Scroller } from "./scroller.js";
import { Timeline } from "./timeline.js";
import { Unread } from "./unread.js";

const PAGE = 50; // messages of history asked for at once

const { moderator, maxText, route, visitor } = part("room").dataset;

const room = connectPage({ stream: true, what: "message" });
const log = part("messages");
const people = new People({ list: part("people-list"), count: part("people-count"), more: part("people-more") });
const typing = new Typing(part("typing"));
const unread = new Unread();
const scroller = new Scroller(part("log"), part("newest"), () => loadOlder());
const divider = new Divider(part("log"), () => scroller.atNewest);
const timeline = new Timeline(log, {
  mayDelete: (senderId) => moderator === "true" || isYou(senderId),
  askDelete,
});

let you = null; // your id: names are no proof of who somebody is
let more = false;
let loading = false;

/** Change the log without each old message being read out. */
function quietly(change) {
  log.setAttribute("aria-busy", "true");
  change();
  requestAnimationFrame(() => log.removeAttribute("aria-busy"));
}

const isYou = (senderId) => Boolean(senderId) && senderId === you;
const news = (entries) => entries.filter(({ type, sender_id, deleted }) => type === "chat" && !deleted && !isYou(sender_id)).length;

function showMore(value) {
  more = value;
  part("older").hidden = !more;
  part("beginning").hidden = more || timeline.isEmpty;
  part("empty").hidden = !timeline.isEmpty || more;
}

/** Show what was said; `missed`: it came while there was no connection. */
function add(entries, { missed = false } = {}) {
  const messages = news(entries);
  const own = entries.some(({ type, sender_id }) => type === "chat" && isYou(sender_id));
  const line = messages && (missed || !divider.isRead) ? divider.begin() : null;
  scroller.added(
    () => {
      if (line) timeline.divide(line);
      timeline.append(entries);
    },
    { messages, own },
  );
  scroller.prepended(() => (more = timeline.trim({ read: !scroller.atNewest }) || more));
  unread.add(messages);
  showMore(more);
  if (own) divider.passed();
  else divider.look();
}

const take = (event) => part("composer") && showRights(part("composer"), part("rights"), event);
room.on("rights", take);
room.on("joined", (event) => {
  take({ write: true }); // who may not is told next
  you = event.you_id;
  people.joined(event);
  quietly(() => {
    if (event.resumed) return add(event.messages, { missed: true });
    timeline.clear();
    timeline.append(event.messages);
    showMore(event.more);
    scroller.toNewest();
  });
});
room.on("replay", ({ messages }) => quietly(() => add(messages, { missed: true })));
room.on("chat", (event) => {
  typing.stopped(event.sender_id);
  add([event]);
});
room.on("deleted", ({ target, by }) => timeline.remove(target, by));
room.on("system", (event) => {
  people.changed(event);
  scroller.added(() => timeline.event(event));
});
room.on("renamed", (event) => {
  people.renamed(event);
  const own = isYou(event.sender_id) && part("account-name");
  if (own) own.textContent = event.name;
});
room.on("typing", ({ sender, sender_id }) => isYou(sender_id) || typing.saw(sender_id, sender));
room.onPending((pending) => {
  const unsent = pending.filter(({ command }) => command.action === "send");
  const rows = unsent.map((entry) => unsentRow(entry, { retry: (id) => room.retry(id), discard: (id) => room.discard(id) }));
  const own = rows.length > part("pending").childElementCount;
  scroller.added(() => part("pending").replaceChildren(...rows), { own });
});

async function loadOlder() {
  if (!more || loading || timeline.oldest === null) return;
  loading = true;
  part("older").disabled = true;
  try {
    const page = await room.request({ action: "history", before: timeline.oldest, limit: PAGE });
    quietly(() =>
      scroller.prepended(() => {
        timeline.prepend(page.messages);
        showMore(page.more);
      }),
    );
  } catch (error) {
    toast(`Older messages did not come: ${error.message}`);
  } finally {
    loading = false;
    part("older").disabled = false;
  }
}
part("older").addEventListener("click", loadOlder);
part("newest").addEventListener("click", () => divider.passed());

function askDelete(seq, button) {
  const dialog = part("delete-dialog");
  dialog.returnValue = "";
  dialog.addEventListener(
    "close",
    () => {
      if (dialog.returnValue !== "delete") return button.focus();
      room.request({ action: "delete", seq }).catch((error) => toast(`Not deleted: ${error.message}`));
      (part("text") ?? part("log")).focus();
    },
    { once: true },
  );
  dialog.showModal();
}

if (part("composer")) {
  const draft = new Draft(`${route} ${visitor}`);
  askBeforeLeaving(() => !draft.isKept);
  compose(part("composer"), {
    draft,
    maxText: Number(maxText),
    send: (text) => room.send({ action: "send", text }).catch((error) => toast(`Not sent: ${error.message}`, { spokenOnly: true })),
    typing: () => room.signal({ action: "typing" }),
  });
}
new Card(part("card"), { isYou, nameNow: (id) => people.nameNow(id) });
part("people").open = matchMedia("(min-width: 48rem)").matches;
ready();
