/**
 * Streams followed over one socket, one or many, from the moment it opens until all that was missed has come.
 *
 * Each stream has a cursor, which outlives connections. A stream begins: it is joined for the first time, or again after
 * a lost connection, or anew where its history was reset. Then what was promised comes, the last entry of it being the
 * one at the position that was announced, and then what happens now. A reader counts as connected once no stream is
 * still in its replay, and is told what an interruption cost.
 */

import { Cursor } from "./cursor.js";

const SETTLED_AFTER = 1000; // ms without a further entry, after which we no longer wait: what was promised may be gone

export class Following {
  #cursors = new Set();
  #what;
  #settled;
  #followedBefore = false; // in this connection or an earlier one
  #catchingUp = null; // { again, missed, whole }, until all has come; `again`: there is news of it to tell
  #timer = 0;

  /** `settled(status)` is called when all has come: `{state: "connected"}`, after an interruption with the number `missed`
      (of what is called `what`) and with `whole`, which is false where some of it could not be had. */
  constructor({ what, settled }) {
    this.#what = what;
    this.#settled = settled;
  }

  /** Follow another stream, from now on or from an earlier position. Returns its cursor. */
  follow() {
    const cursor = new Cursor();
    this.#cursors.add(cursor);
    return cursor;
  }

  leave(cursor) {
    this.#cursors.delete(cursor);
  }

  /** A connection is open: its streams will begin. */
  opened() {
    this.#catchingUp = { again: this.#followedBefore, missed: 0, whole: true };
  }

  /** The connection is gone. Cursors stay. */
  lost() {
    clearTimeout(this.#timer);
    this.#catchingUp = null;
  }

  /** A stream begins as `start` says (see Cursor.join). Returns whether it continues what we have. */
  begin(cursor, start, more) {
    const { known } = cursor;
    const resumed = cursor.join(start, more);
    if (known && !resumed) this.#catchingUp = { missed: 0, ...this.#catchingUp, again: true, whole: false };
    this.#followedBefore = true;
    return resumed;
  }

  /** Take an entry, which we cannot have missed if it is `ours`. Returns `{fresh, replayed}` as Cursor.take does. */
  take(cursor, entry, ours) {
    const taken = cursor.take(entry);
    if (this.#catchingUp && taken.fresh && taken.replayed && !ours && isNews(entry)) this.#catchingUp.missed += 1;
    return taken;
  }

  /** To be called when a stream has begun, and after entries of a replay were told: settles at once where nothing is still
      to come, else after a while without more. */
  proceed() {
    clearTimeout(this.#timer);
    if (!this.#catchingUp) return;
    if (Array.from(this.#cursors).some(({ replaying }) => replaying)) this.#timer = setTimeout(() => this.#settle(), SETTLED_AFTER);
    else this.#settle();
  }

  /** Cursors stay where they are: what comes late is still fresh. */
  #settle() {
    const { again, missed, whole } = this.#catchingUp;
    this.#catchingUp = null;
    this.#followedBefore = true;
    this.#settled(again ? { state: "connected", missed, whole, what: this.#what } : { state: "connected" });
  }
}

/** Whether a reader would say that they missed it: not what is gone, nor what only happened to another entry. */
function isNews({ deleted, target }) {
  return !deleted && target == null;
}
