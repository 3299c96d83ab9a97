/** Keeps the reader's place in the log: at the newest message while they are there, else exactly where they read. */

import { counted } from "../realtime/page/numbers.js";

const NEAR = 60; // px from an end that count as being there

export class Scroller {
  #log;
  #button;
  #unseen = 0;
  #stuck = true; // at the newest message, and to stay there

  /** `button` leads to the newest messages; `older()` is called near the top. */
  constructor(log, button, older) {
    this.#log = log;
    this.#button = button;
    log.addEventListener("scroll", () => this.#scrolled(older), { passive: true });
    button.addEventListener("click", () => this.toNewest());
    new ResizeObserver(() => this.#stuck && this.toNewest()).observe(log);
  }

  get atNewest() {
    return this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < NEAR;
  }

  /** Run `change`, which adds at the end; `messages` of them are news. Own words are always shown. */
  added(change, { messages = 0, own = false } = {}) {
    const follow = this.#stuck || own;
    change();
    if (follow) this.toNewest();
    else this.#show(this.#unseen + messages);
  }

  /** Run `change`, which adds at the beginning, without moving what is being read. */
  prepended(change) {
    const fromEnd = this.#log.scrollHeight - this.#log.scrollTop;
    change();
    this.#log.scrollTop = this.#log.scrollHeight - fromEnd;
  }

  toNewest() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#stuck = true;
    this.#show(0);
  }

  #show(unseen) {
    this.#unseen = unseen;
    this.#button.hidden = this.#stuck;
    const words = `Jump to newest${unseen ? `: ${counted(unseen, "new message")}` : ""} ↓`;
    if (this.#button.textContent !== words) this.#button.textContent = words;
  }

  #scrolled(older) {
    this.#stuck = this.atNewest;
    this.#show(this.#stuck ? 0 : this.#unseen);
    if (this.#log.scrollTop < NEAR) older();
  }
}
