/** One WebSocket that comes back. It knows nothing of what the frames say. */

import { comesBack, retryAfter } from "./closing.js";

const FIRST_CEILING = 0.5; // seconds
const LAST_CEILING = 20;
const OPENING_LIMIT = 10; // seconds; browsers wait for minutes
const STEADY_AFTER = 10; // seconds open, after which the next loss is a first one again
const SLEPT_AFTER = 90; // seconds a timer of TICK may be late before the machine must have slept
const TICK = 10;

/** Full jitter: anywhere between now and a ceiling that doubles, so that a thousand clients do not return at once. */
export function backOff(attempt) {
  return Math.random() * Math.min(LAST_CEILING, FIRST_CEILING * 2 ** attempt);
}

/** `handlers`: `opened()`, `frame(data)`, `changed(status)`, where a status is `{state, retryAt?, code?, reason?}` and
    `state` one of `connecting`, `open`, `waiting` (until `retryAt`, in ms as Date.now() counts) and `stopped`. */
export class Connection {
  #address;
  #handlers;
  #socket = null;
  #listening = null; // aborted when we lose interest in a socket
  #attempt = 0;
  #openedAt = 0;
  #timer = 0;
  #ticking = 0;
  #leaving = new AbortController();
  #wasOffline = false;
  status = { state: "connecting" };

  /** `address()` is asked at each attempt, so that it can carry the newest cursor. */
  constructor(address, handlers) {
    this.#address = address;
    this.#handlers = handlers;
  }

  /** Open, and stay open until `close()` or a close code that says not to come back. */
  start() {
    const { signal } = this.#leaving;
    addEventListener("online", () => this.#online(), { signal });
    addEventListener("offline", () => (this.#wasOffline = true), { signal });
    addEventListener("pageshow", (event) => event.persisted && this.restart(), { signal });
    document.addEventListener("visibilitychange", () => !document.hidden && this.#wake(), { signal });
    this.#watchForSleep();
    this.#open();
  }

  /** Stop waiting and try at once; also after a final close. */
  tryNow() {
    if (this.status.state === "waiting" || this.status.state === "stopped") this.#open();
  }

  /** Give up a socket that no longer answers and open another. */
  restart() {
    if (this.status.state === "stopped") return;
    this.#drop();
    this.#open();
  }

  /** Send a text frame. Returns false where nothing is open. */
  send(text) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(text);
    return true;
  }

  /** Leave for good. */
  close() {
    this.#leaving.abort();
    clearTimeout(this.#timer);
    clearInterval(this.#ticking);
    this.#drop();
    this.#become({ state: "stopped", code: 1000, reason: "" });
  }

  #open() {
    clearTimeout(this.#timer);
    this.#drop();
    this.#become({ state: "connecting" });
    const socket = new WebSocket(this.#address());
    this.#socket = socket;
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.#timer = setTimeout(() => this.#lost(1006, "no answer"), OPENING_LIMIT * 1000);
    socket.addEventListener("open", () => this.#opened(), { signal });
    socket.addEventListener("message", (event) => this.#handlers.frame(event.data), { signal });
    socket.addEventListener("close", (event) => this.#lost(event.code, event.reason), { signal });
  }

  #opened() {
    clearTimeout(this.#timer);
    this.#openedAt = Date.now();
    this.#become({ state: "open" });
    this.#handlers.opened();
  }

  #lost(code, reason) {
    clearTimeout(this.#timer);
    this.#drop();
    if (!comesBack(code)) {
      this.#become({ state: "stopped", code, reason });
      return;
    }
    const steady = this.#openedAt && Date.now() - this.#openedAt > STEADY_AFTER * 1000;
    this.#attempt = steady ? 0 : this.#attempt + 1;
    this.#openedAt = 0;
    const wait = 1000 * (retryAfter(reason) + backOff(this.#attempt));
    this.#timer = setTimeout(() => this.#open(), wait);
    this.#become({ state: "waiting", retryAt: Date.now() + wait, code, reason });
  }

  #drop() {
    this.#listening?.abort();
    this.#socket?.close();
    this.#socket = null;
  }

  #become(status) {
    this.status = status;
    this.#handlers.changed(status);
  }

  #wake() {
    if (this.status.state === "waiting") this.#open();
  }

  #online() {
    // A socket from before the interruption may be dead without knowing it.
    if (this.#wasOffline && this.status.state === "open") this.restart();
    else this.#wake();
    this.#wasOffline = false;
  }

  #watchForSleep() {
    let last = Date.now();
    this.#ticking = setInterval(() => {
      const slept = Date.now() - last > SLEPT_AFTER * 1000;
      last = Date.now();
      if (slept) this.restart();
    }, TICK * 1000);
  }
}
