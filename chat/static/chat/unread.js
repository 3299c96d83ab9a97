/** The number of messages not seen yet, in the tab's title. */

/** Whether somebody looks at this page. */
export const looking = () => !document.hidden && document.hasFocus();

export class Unread {
  #title = document.title;
  #count = 0;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#look());
    addEventListener("focus", () => this.#look());
  }

  /** Count `messages` unless somebody is looking. */
  add(messages) {
    if (!messages || looking()) return;
    this.#count += messages;
    document.title = `(${this.#count}) ${this.#title}`;
  }

  #look() {
    if (!looking()) return;
    this.#count = 0;
    document.title = this.#title;
  }
}
