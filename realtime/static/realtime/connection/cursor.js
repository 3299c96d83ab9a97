/** How far one stream was read, so that a new connection asks for the rest and nothing shows twice. */

export class Cursor {
  #seq = null;
  #epoch = null;
  #target = null; // where a replay ends, while one runs

  /** `{seq, epoch}`, to go on from here; undefined before the stream has begun for the first time. */
  get position() {
    return this.known ? { seq: this.#seq ?? 0, epoch: this.#epoch } : undefined;
  }

  get known() {
    return this.#epoch !== null;
  }

  /** Whether entries that were promised at the join are still to come. */
  get replaying() {
    return this.#target !== null;
  }

  /** Take the announcement `{seq, epoch, recovered}` of a stream, which stands at `seq`; `more` says whether entries up to
      there follow. Returns whether they continue what we have; else it begins anew. */
  join({ seq, epoch, recovered }, more) {
    const resumed = this.known && recovered && epoch === this.#epoch;
    if (!resumed) this.#seq = null;
    this.#epoch = epoch;
    if (!more) this.#seq = Math.max(this.#seq ?? 0, seq);
    this.#target = (this.#seq ?? 0) < seq ? seq : null;
    return resumed;
  }

  /** Take an entry and move on past it. Returns whether it is `fresh`, and whether it belongs to the replay. */
  take({ seq }) {
    if (seq === undefined) return { fresh: true, replayed: false }; // it is not stored, so it is of now
    const replayed = this.replaying && seq <= this.#target;
    if (this.#seq !== null && seq <= this.#seq) return { fresh: false, replayed };
    this.#seq = seq;
    if (this.replaying && seq >= this.#target) this.#target = null; // a live entry ends a replay too
    return { fresh: true, replayed };
  }
}
