/** The line "New" above what came while nobody read. It goes once it was seen and what follows it was read. */

import { element } from "../realtime/page/dom.js";
import { looking } from "./unread.js";

const READ_MS = 3000; // at the newest message, with the line seen

export class Divider {
  #log;
  #atNewest;
  #line = null;
  #seen = false;
  #reading = 0; // the timer of who reads

  /** `log` scrolls; `atNewest()` tells whether its newest message is in sight. */
  constructor(log, atNewest) {
    this.#log = log;
    this.#atNewest = atNewest;
    log.addEventListener("scroll", () => this.look(), { passive: true });
    document.addEventListener("visibilitychange", () => this.look());
    for (const event of ["focus", "blur"]) addEventListener(event, () => this.look());
  }

  /** Whether what is added now is read at once. */
  get isRead() {
    return looking() && this.#atNewest();
  }

  /** A line to put above what is new; null where one stands already. */
  begin() {
    if (this.#line?.isConnected) return null;
    this.#seen = false;
    this.#line = element("div", { className: "divider", role: "separator", aria: { label: "New" } }, element("span", {}, "New"));
    return this.#line;
  }

  /** The reader goes to the newest messages, or answers. */
  passed() {
    this.#seen = true;
    this.look();
  }

  /** Look whether it is being read. */
  look() {
    if (!this.#line) return;
    this.#seen ||= looking() && this.#inSight;
    if (!this.#seen || !this.isRead) {
      clearTimeout(this.#reading);
      this.#reading = 0;
    } else {
      this.#reading ||= setTimeout(() => this.#end(), READ_MS);
    }
  }

  get #inSight() {
    const line = this.#line.getBoundingClientRect();
    const log = this.#log.getBoundingClientRect();
    return line.bottom > log.top && line.top < log.bottom;
  }

  #end() {
    this.#reading = 0;
    this.#line.remove();
    this.#line = null;
  }
}
