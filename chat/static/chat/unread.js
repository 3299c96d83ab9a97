/** The number of messages not seen yet, in the tab's title. */

export class Unread {
  #title = document.title;
  #count = 0;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#look());
    addEventListener("focus", () => this.#look());
  }

  /** Count `messages` unless somebody is looking. */
  add(messages) {
    if (!messages || this.#looking) return;
    this.#count += messages;
    document.title = `(${this.#count}) ${this.#title}`;
  }

  get #looking() {
    return !document.hidden && document.hasFocus();
  }

  #look() {
    if (!this.#looking) return;
    this.#count = 0;
    document.title = this.#title;
  }
}
