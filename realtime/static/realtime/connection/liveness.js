/** Whether the other side of an open connection is still there. Browsers hide WebSocket's own pings from pages. */

const SILENCE = 20; // seconds without a frame, after which we ask
const ANSWER_LIMIT = 5; // seconds; the server answers at once

export class Liveness {
  #ask;
  #dead;
  #heardAt = 0;
  #askedAt = 0; // 0 while no answer is awaited
  #doubted = false; // an answer was late, but so was our timer
  #timer = 0;

  /** `ask()` sends what is answered at once; `dead()` says that no answer came. */
  constructor({ ask, dead }) {
    this.#ask = ask;
    this.#dead = dead;
  }

  /** The connection is open. */
  begin() {
    this.heard();
    this.#wait(SILENCE);
  }

  /** Something came, whatever it was. */
  heard() {
    this.#heardAt = Date.now();
    if (!this.#askedAt) return;
    this.#askedAt = 0;
    this.#doubted = false;
    this.#wait(SILENCE);
  }

  /** Ask now, unless an answer is awaited. */
  look() {
    if (this.#askedAt) return;
    this.#askedAt = Date.now();
    this.#wait(ANSWER_LIMIT);
    this.#ask();
  }

  /** The connection is gone. */
  end() {
    clearTimeout(this.#timer);
    this.#askedAt = 0;
    this.#doubted = false;
  }

  #wait(seconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#due(), 1000 * seconds);
  }

  #due() {
    const now = Date.now();
    if (this.#askedAt) this.#unanswered(now - this.#askedAt - 1000 * ANSWER_LIMIT);
    else if (now - this.#heardAt >= 1000 * SILENCE) this.look();
    else this.#wait(SILENCE - (now - this.#heardAt) / 1000);
  }

  /** After a sleep the answer may lie there unread, or the question may not have left: then we ask once more. */
  #unanswered(late) {
    if (late < 1000 || this.#doubted) {
      this.#dead();
      return;
    }
    this.#doubted = true;
    this.#askedAt = 0;
    this.look();
  }
}
