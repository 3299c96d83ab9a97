/** How far the reader has seen each topic: a user's acknowledged position, a guest's since this tab was opened. */

import { remembered } from "./storage.js";

export class Seen {
  #guest;
  #store = remembered("sessionStorage", "seen", {});
  #positions = new Map(); // topic → { seq, epoch }

  /** `topics` as the page carries them: `{name, acked, epoch}`. */
  constructor(topics, { guest }) {
    this.#guest = guest;
    const known = guest ? Object.entries(this.#store.load()) : topics.map(({ name, acked, epoch }) => [name, { seq: acked, epoch }]);
    this.#positions = new Map(known);
  }

  /** The position up to which `topic` was seen; 0 where that is not known. */
  of(topic) {
    return this.#positions.get(topic)?.seq ?? 0;
  }

  /** A subscription begins at `seq`. To a guest what was there before is no news; positions of another epoch mean nothing. */
  begin({ topic, seq, epoch }) {
    const before = this.#positions.get(topic);
    const same = before && (before.epoch ?? epoch) === epoch; // of what was told before it was followed, the epoch is not known
    const nothing = this.#guest && !before ? seq : 0;
    this.#set(topic, same ? before.seq : nothing, epoch);
  }

  /** `topic` was seen up to `seq`. Returns whether that is news. */
  move(topic, seq) {
    const before = this.#positions.get(topic);
    if (before && before.seq >= seq) return false;
    this.#set(topic, seq, before?.epoch);
    return true;
  }

  isUnread({ topic, seq, deleted }) {
    return seq !== undefined && !deleted && seq > this.of(topic);
  }

  #set(topic, seq, epoch) {
    this.#positions.set(topic, { seq, epoch });
    if (this.#guest) this.#store.save(Object.fromEntries(this.#positions));
  }
}
