/** How far one stream was read, so that a new connection asks for the rest and nothing shows twice. */

export class Cursor {
  #seq = null;
  #epoch = null;
  #target = null; // where a replay ends, while one runs
  missed = 0;

  /** Query parameters that resume here; empty before the first visit. */
  get query() {
    return this.#epoch === null ? {} : { since: String(this.#seq ?? 0), epoch: this.#epoch };
  }

  /** The same as the notifications socket takes it; undefined before the first visit. */
  get position() {
    return this.known ? { seq: this.#seq ?? 0, epoch: this.#epoch } : undefined;
  }

  get known() {
    return this.#epoch !== null;
  }

  get replaying() {
    return this.#target !== null;
  }

  /** Take the announcement `{seq, epoch, recovered}` of a stream. Returns whether what we show is still whole. */
  join({ seq, epoch, recovered }) {
    const whole = this.known && recovered && epoch === this.#epoch;
    if (!whole) this.#seq = null;
    this.#epoch = epoch;
    this.#target = seq;
    this.missed = 0;
    return whole;
  }

  /** Whether an entry is new; moves on past it. */
  accepts(entry) {
    if (entry.seq === undefined) return true;
    if (this.#seq !== null && entry.seq <= this.#seq) return false;
    this.#seq = entry.seq;
    return true;
  }

  /** Whether all that was promised at the join has come. */
  get arrived() {
    return this.#target !== null && (this.#seq ?? 0) >= this.#target;
  }

  /** The replay is over: nothing up to its end is still to come. */
  finish() {
    if (this.#target === null) return;
    this.#seq = Math.max(this.#seq ?? 0, this.#target);
    this.#target = null;
  }
}
