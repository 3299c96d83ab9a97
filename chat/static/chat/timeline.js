/** The messages of a room as elements: days, groups of one sender, deleted ones. It knows nothing of sockets or scrolling. */

import { element } from "../realtime/page/dom.js";
import { dayOf, fullTimeOf, said, timeOf } from "../realtime/page/times.js";
import { Comings } from "./comings.js";
import { bury, chooseByTap, messageRow } from "./message.js";
import { nameOf } from "./name.js";
import { mark, voice } from "./voice.js";

const GROUP_MS = 5 * 60 * 1000; // a pause after which a sender's name shows again
const KEPT = 1000; // messages on the page; older ones come back from history
const SLACK = 100; // messages past that before any are dropped
const MOST = 3000; // messages on the page of who reads older ones meanwhile

export class Timeline {
  #place;
  #mayDelete;
  #askDelete;
  #tail = {};
  #messages = new Map(); // seq → element, oldest first
  #oldest = null;

  /** `mayDelete(senderId)` tells whether to offer it, `askDelete(seq, element)` asks the reader. */
  constructor(place, { mayDelete, askDelete }) {
    this.#place = place;
    this.#mayDelete = mayDelete;
    this.#askDelete = askDelete;
    chooseByTap(place);
  }

  get isEmpty() {
    return this.#messages.size === 0;
  }

  /** The position before which history goes on; null where nothing came yet. */
  get oldest() {
    return this.#oldest;
  }

  clear() {
    this.#place.replaceChildren();
    this.#messages.clear();
    this.#oldest = null;
    this.#tail = {};
  }

  /** Add entries after all others: messages, and deletions of earlier ones. */
  append(entries) {
    for (const entry of entries) this.#take(entry, this.#place, this.#tail);
  }

  /** Put `line` after all messages; what comes is below it. */
  divide(line) {
    this.#place.append(line);
    Object.assign(this.#tail, { group: null, comings: null });
  }

  /** Add older entries before all others. */
  prepend(entries) {
    const older = document.createDocumentFragment();
    const tail = {};
    const shown = this.#messages;
    this.#messages = new Map();
    for (const entry of entries) this.#take(entry, older, tail);
    for (const [seq, row] of shown) this.#messages.set(seq, row);
    const first = this.#place.firstElementChild;
    if (first?.dataset.day && first.dataset.day === tail.day) first.remove();
    this.#joinGroups(tail, this.#place.firstElementChild);
    if (this.#place.childElementCount === 0) this.#tail = tail;
    this.#place.prepend(older);
  }

  /** Somebody came or went: one line tells of all since the last message. */
  event(event) {
    if (!this.#tail.comings) {
      this.#tail.comings = new Comings();
      this.#place.append(this.#tail.comings.line);
    }
    this.#tail.comings.add(event);
    this.#tail.group = null;
  }

  /** Show that a message was deleted, and by whom. */
  remove(seq, by) {
    const row = this.#messages.get(seq);
    if (row) bury(row, by);
  }

  /** Drop the oldest messages past what a page should hold, which is more while older ones are `read`. Returns whether any were. */
  trim({ read = false } = {}) {
    if (this.#messages.size <= (read ? MOST : KEPT) + SLACK) return false;
    for (const [seq, row] of Array.from(this.#messages).slice(0, this.#messages.size - KEPT)) {
      const body = row.parentElement;
      row.remove();
      this.#messages.delete(seq);
      if (!body.childElementCount) body.parentElement.remove();
    }
    const [[seq, oldest]] = this.#messages;
    this.#oldest = seq;
    while (!this.#place.firstElementChild.contains(oldest)) this.#place.firstElementChild.remove();
    this.#place.prepend(dayHeading(oldest.dataset.day));
    return true;
  }

  #take(entry, place, tail) {
    if (this.#oldest === null || entry.seq < this.#oldest) this.#oldest = entry.seq;
    if (entry.type === "deleted") this.remove(entry.target, entry.by);
    if (entry.type !== "chat" || this.#messages.has(entry.seq)) return;
    const sent = new Date(entry.timestamp);
    const day = dayOf(sent);
    if (day !== tail.day) {
      place.append(dayHeading(day));
      Object.assign(tail, { day, group: null });
    }
    if (!tail.group || !isBy(tail.group, entry) || sent - tail.sent > GROUP_MS) {
      tail.group = group(entry, sent);
      place.append(tail.group);
    }
    tail.sent = sent;
    tail.comings = null;
    const mayDelete = !entry.deleted && this.#mayDelete(entry.sender_id);
    const row = messageRow(entry, sent, { day, askDelete: mayDelete && this.#askDelete });
    this.#messages.set(entry.seq, row);
    tail.group.querySelector(".group-body").append(row);
    if (entry.deleted) this.remove(entry.seq);
  }

  /** Where older messages end with the sender that the shown ones begin with, they are one group. */
  #joinGroups(tail, first) {
    if (!tail.group || !first?.dataset.began || !isBy(first, { sender: tail.group.dataset.name, sender_id: tail.group.dataset.sender })) return;
    if (Number(first.dataset.began) - tail.sent > GROUP_MS) return;
    tail.group.querySelector(".group-body").append(...first.querySelector(".group-body").children);
    if (this.#tail.group === first) this.#tail.group = tail.group;
    first.remove();
  }
}

function dayHeading(day) {
  return element("h2", { className: "day", data: { day } }, said("day", day));
}

/** Whether a group's messages are of the sender of an entry, under the same name. */
function isBy({ dataset }, { sender, sender_id = "" }) {
  return dataset.sender === sender_id && dataset.name === sender;
}

function group({ sender, sender_id = "" }, sent) {
  const head = element(
    "header",
    { className: "group-head" },
    nameOf(sender_id, sender, "sender"),
    element("time", { className: "sent-at", dateTime: sent.toISOString(), title: fullTimeOf(sent) }, timeOf(sent)),
  );
  const body = element("div", { className: "group-body" });
  return element("article", { className: "group", data: { sender: sender_id, name: sender, voice: voice(sender), began: sent.getTime() } }, mark(sender), head, body);
}
