/** One WebSocket that comes back. It knows nothing of what the frames say. */

import { comesBack, retryAfter } from "./closing.js";
import { Liveness } from "./liveness.js";
import { watchWaking } from "./waking.js";

const FIRST_CEILING = 0.5; // seconds
const LAST_CEILING = 20;
const OPENING_LIMIT = 10; // seconds; browsers wait for minutes
const STEADY_AFTER = 10; // seconds open, after which the next loss is a first one again

/** Full jitter: anywhere between now and a ceiling that doubles, so that a thousand clients do not return at once. */
export function backOff(attempt) {
  return Math.random() * Math.min(LAST_CEILING, FIRST_CEILING * 2 ** attempt);
}

/** `handlers`: `opened()`, `frame(data)`, `ask()`, which sends what is answered at once, and `changed(status)`. A status is
    `{state, retryAt?, code?, reason?}`, `state` being one of `connecting`, `open`, `waiting` (until `retryAt`, in ms as
    Date.now() counts) and `stopped`. */
export class Connection {
  #address;
  #handlers;
  #socket = null;
  #listening = null; // aborted when we lose interest in a socket
  #attempt = 0;
  #openedAt = 0;
  #timer = 0;
  #leaving = new AbortController();
  #liveness;
  status = { state: "connecting" };

  /** `address()` is asked at each attempt, so that it can carry the newest cursor. */
  constructor(address, handlers) {
    this.#address = address;
    this.#handlers = handlers;
    this.#liveness = new Liveness({ ask: () => handlers.ask(), dead: () => this.#lost(1006, "no answer") });
  }

  /** Open, and stay open until `close()` or a close code that says not to come back. */
  start() {
    watchWaking({ woke: () => this.#wake(), offline: () => this.#offline() }, this.#leaving.signal);
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
    socket.addEventListener("message", (event) => this.#came(event.data), { signal });
    socket.addEventListener("close", (event) => this.#lost(event.code, event.reason), { signal });
  }

  #opened() {
    clearTimeout(this.#timer);
    this.#openedAt = Date.now();
    this.#liveness.begin();
    this.#become({ state: "open" });
    this.#handlers.opened();
  }

  #came(data) {
    this.#liveness.heard();
    this.#handlers.frame(data);
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
    this.#liveness.end();
    this.#listening?.abort();
    this.#socket?.close(); // a dead one answers no close: nobody listens for it
    this.#socket = null;
  }

  #become(status) {
    this.status = status;
    this.#handlers.changed(status);
  }

  #wake() {
    if (this.status.state === "waiting") this.#open();
    else if (this.status.state === "open") this.#liveness.look();
  }

  /** It is said at once. What the browser says may be wrong (this machine needs no network), so it is tried all the same. */
  #offline() {
    if (this.status.state === "open") this.#lost(1006, "offline");
  }
}
