/** What came, newest first; urgent ones above all until they are dismissed. It knows nothing of sockets. */

import { bury, note } from "./note.js";
import { STAYS } from "./priorities.js";
import { remembered } from "./storage.js";

const KEPT = 500; // on the page, of all topics together
const DISMISSED = 200; // remembered

const dismissals = remembered("localStorage", "dismissed", []);
const nameOf = ({ topic, seq, timestamp }) => `${topic} ${seq} ${timestamp}`;

export class Feed {
  #pinned;
  #list;
  #open;
  #shown = new Map(); // row → event
  #dismissed = new Set(dismissals.load());
  #isUnread;
  #only = "";

  /** `pinned` and `list` hold the rows, `open(topic)` shows one topic, `isUnread(event)` tells what is new to the reader. */
  constructor({ pinned, list, open, isUnread }) {
    this.#pinned = pinned;
    this.#list = list;
    this.#open = open;
    this.#isUnread = isUnread;
    dismissals.onChange((names) => {
      this.#dismissed = new Set(names);
      this.update();
    });
  }

  /** The events shown, of one topic or of all. */
  events(topic = "") {
    return Array.from(this.#shown.values()).filter((event) => !topic || event.topic === topic);
  }

  add(event, { fresh = false } = {}) {
    const row = note(event, { open: this.#open, dismiss: (dismissed) => this.#dismiss(dismissed) });
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
    const stays = event.priority === STAYS && unread && !event.deleted && !this.#dismissed.has(nameOf(event));
    row.querySelector(".note-dismiss")?.toggleAttribute("hidden", !stays);
    const place = stays ? this.#pinned : this.#list;
    if (row.parentElement !== place) place.insertBefore(row, this.#before(place, event));
  }

  #before(place, event) {
    for (const row of place.children) if (isNewer(event, this.#shown.get(row))) return row;
    return null;
  }

  #dismiss(event) {
    this.#dismissed.add(nameOf(event));
    dismissals.save(Array.from(this.#dismissed).slice(-DISMISSED));
    this.update();
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
