/** What came, newest first; urgent ones above all until they are dismissed. It knows nothing of sockets. */

import { bury, note } from "./note.js";

const KEPT = 500; // on the page, of all topics together

export class Feed {
  #pinned;
  #list;
  #open;
  #shown = new Map(); // row → event
  #dismiss;
  #stays;
  #isUnread;
  #only = "";

  /** `pinned` and `list` hold the rows, `open(topic)` shows one topic, `dismiss(event)` takes one from the top; `isUnread(event)`
      tells what is new to the reader, `stays(event)` what is on top. */
  constructor({ pinned, list, open, dismiss, isUnread, stays }) {
    this.#pinned = pinned;
    this.#list = list;
    this.#open = open;
    this.#dismiss = dismiss;
    this.#isUnread = isUnread;
    this.#stays = stays;
  }

  /** The events shown, of one topic or of all. */
  events(topic = "") {
    return Array.from(this.#shown.values()).filter((event) => !topic || event.topic === topic);
  }

  add(event, { fresh = false } = {}) {
    const row = note(event, { open: this.#open, dismiss: this.#dismiss });
    if (fresh) row.dataset.fresh = "";
    this.#shown.set(row, event);
    this.#place(row, event);
    if (this.#shown.size > KEPT) this.#drop(this.#list.lastElementChild ?? this.#pinned.lastElementChild);
  }

  /** A notification was deleted. */
  retract({ topic, target, by }) {
    for (const [row, event] of this.#shown) {
      if (event.topic !== topic || event.seq !== target || event.deleted) continue;
      Object.assign(event, { deleted: true, message: "", title: undefined });
      bury(row, by);
      this.#place(row, event);
    }
  }

  /** Forget a topic. */
  clear(topic) {
    for (const [row, event] of this.#shown) if (event.topic === topic) this.#drop(row);
  }

  /** Show one topic, or all. */
  only(topic) {
    this.#only = topic;
    this.update();
  }

  /** What the reader has seen has changed. */
  update() {
    for (const [row, event] of this.#shown) this.#place(row, event);
  }

  get isEmpty() {
    return this.events(this.#only).length === 0;
  }

  #place(row, event) {
    const unread = this.#isUnread(event);
    row.toggleAttribute("data-unread", unread);
    row.hidden = this.#only !== "" && event.topic !== this.#only;
    const stays = this.#stays(event);
    row.querySelector(".note-dismiss")?.toggleAttribute("hidden", !stays);
    const place = stays ? this.#pinned : this.#list;
    if (row.parentElement !== place) place.insertBefore(row, this.#before(place, event));
  }

  #before(place, event) {
    for (const row of place.children) if (isNewer(event, this.#shown.get(row))) return row;
    return null;
  }

  #drop(row) {
    this.#shown.delete(row);
    row.remove();
  }
}

/** By position in one topic, by time between topics. */
function isNewer(one, other) {
  if (one.topic === other.topic && one.seq !== undefined && other.seq !== undefined) return one.seq > other.seq;
  return one.timestamp > other.timestamp;
}
