/** The messages of a room as elements: days, groups of one sender, deleted ones. It knows nothing of sockets or scrolling. */

import { element } from "../realtime/page/dom.js";
import { withLinks } from "../realtime/page/links.js";
import { dayInWords, dayOf, fullTimeOf, timeOf } from "../realtime/page/times.js";
import { mark, voice } from "./voice.js";

const GROUP_MS = 5 * 60 * 1000; // a pause after which a sender's name shows again
const KEPT = 1000; // messages on the page; older ones come back from history
const SLACK = 100; // messages past that before any are dropped
const EVENTS_IN_LINE = 3;

export class Timeline {
  #place;
  #mayDelete;
  #askDelete;
  #tail = {};
  #messages = new Map(); // seq → element, oldest first
  #oldest = null;

  /** `mayDelete(sender)` tells whether to offer it, `askDelete(seq, element)` asks the reader. */
  constructor(place, { mayDelete, askDelete }) {
    this.#place = place;
    this.#mayDelete = mayDelete;
    this.#askDelete = askDelete;
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
    this.#renameDays();
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

  /** A line about people coming and going; a few of them share one. */
  event(text) {
    const { line } = this.#tail;
    if (line && line.childElementCount < EVENTS_IN_LINE) line.append(" · ", element("bdi", {}, text));
    else this.#place.append((this.#tail.line = element("p", { className: "event" }, element("bdi", {}, text))));
    this.#tail.group = null;
  }

  /** Show that a message was deleted, and by whom. */
  remove(seq, by) {
    const row = this.#messages.get(seq);
    if (!row) return;
    row.dataset.deleted = "";
    row.querySelector(".message-text").textContent = by ? `Deleted by ${by}` : "Deleted";
    row.querySelector(".message-delete")?.remove();
  }

  /** Drop the oldest messages past what a page should hold. Returns whether any were. */
  trim() {
    if (this.#messages.size <= KEPT + SLACK) return false;
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
    if (!tail.group || tail.group.dataset.sender !== entry.sender || sent - tail.sent > GROUP_MS) {
      tail.group = group(entry.sender, sent);
      place.append(tail.group);
    }
    tail.sent = sent;
    tail.line = null;
    const row = this.#row(entry, sent, day);
    this.#messages.set(entry.seq, row);
    tail.group.querySelector(".group-body").append(row);
    if (entry.deleted) this.remove(entry.seq);
  }

  #row({ seq, sender, message = "", deleted }, sent, day) {
    const text = element("p", { className: "message-text", dir: "auto", title: fullTimeOf(sent) }, ...withLinks(message));
    const row = element("div", { className: "message", data: { seq, day } }, text);
    if (!deleted && this.#mayDelete(sender)) {
      const button = element("button", { type: "button", className: "message-delete", aria: { label: `Delete message: ${message.slice(0, 60)}` } });
      button.addEventListener("click", () => this.#askDelete(seq, button));
      row.append(button);
    }
    return row;
  }

  /** Where older messages end with the sender that the shown ones begin with, they are one group. */
  #joinGroups(tail, first) {
    if (!tail.group || !first?.dataset.sender || first.dataset.sender !== tail.group.dataset.sender) return;
    if (Number(first.dataset.began) - tail.sent > GROUP_MS) return;
    tail.group.querySelector(".group-body").append(...first.querySelector(".group-body").children);
    if (this.#tail.group === first) this.#tail.group = tail.group;
    first.remove();
  }

  /** At midnight, Today becomes Yesterday. */
  #renameDays() {
    for (const heading of this.#place.querySelectorAll(".day")) {
      const words = dayInWords(heading.dataset.day);
      if (heading.textContent !== words) heading.firstElementChild.textContent = words;
    }
  }
}

function dayHeading(day) {
  return element("h2", { className: "day", data: { day } }, element("time", { dateTime: day }, dayInWords(day)));
}

function group(sender, sent) {
  const head = element(
    "header",
    { className: "group-head" },
    element("bdi", { className: "sender", title: sender }, sender),
    element("time", { className: "sent-at", dateTime: sent.toISOString(), title: fullTimeOf(sent) }, timeOf(sent)),
  );
  const body = element("div", { className: "group-body" });
  return element("article", { className: "group", data: { sender, voice: voice(sender), began: sent.getTime() } }, mark(sender), head, body);
}
