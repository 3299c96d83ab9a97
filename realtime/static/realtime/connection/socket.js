/**
 * The browser's client of Chorus: it connects to a JSON route, logs in, finds out when nobody answers any more, comes back
 * after a lost connection, catches up on what was missed, and keeps what it sent until the server acknowledged it.
 *
 *   import { connect } from "/static/realtime/connection/socket.js";
 *
 *   const socket = connect("/ws/…/", { stream: true });   // the route of a stream, as docs/protocol.md lists them
 *   socket.on("joined", ({ messages, resumed }) => …);    // `resumed`: these follow what you have; else start anew
 *   socket.on("…", ({ seq, sender }) => …);               // an event by its type: each entry once and in order
 *   socket.onStatus(({ text }) => (badge.textContent = text));
 *   socket.send({ action: "…", text: "Hi" }).then(acknowledged, failed);
 */

import { Connection } from "./connection.js";
import { Following } from "./following.js";
import { Listeners, Watched } from "./listeners.js";
import { Outgoing, encode } from "./outgoing.js";
import { store } from "./store.js";
import { described } from "./words.js";

export { CommandError, uuid } from "./outgoing.js";
export { describe } from "./words.js";

const PING = "ping"; // the id of all our pings: what has it is said to us alone

/**
 * Connect to `route`: a path of this site or a whole ws(s):// address. Options:
 * - `stream`: the route carries one stream, opens with `joined` and resumes by `?since=&epoch=`;
 * - `what`: what an entry is called where missed ones are counted, a word whose plural adds an s; `message` unless given;
 * - `answers(event)`: whether an event with the id of a command answers it; unless given, each does;
 * - `token`: an access token, or a function (it may be async) that gives one, sent as the first message;
 * - `keep`: a name under which unsent commands survive a reload of this tab. Put the user's name in it.
 */
export function connect(route, options = {}) {
  return new ChorusSocket(route, options);
}

class ChorusSocket {
  #route;
  #options;
  #connection;
  #following;
  #cursor; // of the one stream, where the route carries one
  #outgoing;
  #listeners = new Listeners();
  #status = new Watched(described({ state: "connecting" }));
  #pending = new Watched([]);
  #opened = false; // logged in and, on a stream, joined
  #problem; // what the server said last before it closed

  constructor(route, options) {
    this.#route = route;
    this.#options = options;
    this.#following = new Following({ what: options.what, settled: (status) => this.#status.set(described(status)) });
    this.#cursor = this.#following.follow();
    this.#outgoing = new Outgoing({
      transmit: (text) => this.#connection.send(text),
      changed: () => this.#pending.set(this.pending),
      stalled: () => this.#connection.restart(),
      store: store(options.keep),
    });
    this.#pending.set(this.pending); // what an earlier page of this tab left unsent
    this.#connection = new Connection(() => this.#address(), {
      opened: () => this.#logIn(),
      frame: (data) => this.#receive(data),
      ask: () => this.#connection.send(JSON.stringify({ action: "ping", id: PING })),
      changed: (status) => this.#connectionChanged(status),
    });
    queueMicrotask(() => this.#connection.start()); // listeners added right after connect() miss nothing
  }

  /** Call `listener(event)` for each event of this `type` as the protocol names it. Returns a function that stops it. */
  on(type, listener) {
    return this.#listeners.on(type, listener);
  }

  /** `{state, text, …}`; state is `connecting`, `connected`, `waiting` or `stopped`. */
  get status() {
    return this.#status.value;
  }

  /** Call `listener(status)` now and at each change. Returns a function that stops it. */
  onStatus(listener) {
    return this.#status.watch(listener);
  }

  /** Call `listener(pending)` now and at each change of `pending`. Returns a function that stops it. */
  onPending(listener) {
    return this.#pending.watch(listener);
  }

  /** Commands without an answer yet: `{id, command, state: "waiting" | "sent" | "failed", error?}`, oldest first. */
  get pending() {
    return this.#outgoing.list;
  }

  /** Send a command that changes something. It goes out when it can and is repeated with its id until it is
      acknowledged. Resolves with the event that acknowledges it; rejects with a CommandError. */
  send(command) {
    return this.#outgoing.add(command, true);
  }

  /** As `send`, but a failure or a reload forgets it: for questions, and for what is not worth doing later. */
  request(command) {
    return this.#outgoing.add(command, false);
  }

  /** Send a command that only matters now, such as `typing`. Returns whether it went out. */
  signal(command) {
    return this.#opened && this.#connection.send(encode(command));
  }

  /** Send a failed command again. */
  retry(id) {
    this.#outgoing.retry(id);
  }

  /** Forget a command, failed or not yet acknowledged. */
  discard(id) {
    this.#outgoing.discard(id);
  }

  /** Try to connect at once instead of waiting. */
  tryNow() {
    this.#connection.tryNow();
  }

  /** Disconnect for good. */
  close() {
    this.#connection.close();
  }

  #address() {
    const url = new URL(this.#route, location.href);
    url.protocol = url.protocol.replace(/^http/, "ws");
    const { position } = this.#cursor;
    if (position) {
      url.searchParams.set("since", position.seq);
      url.searchParams.set("epoch", position.epoch);
    }
    if (this.#options.token) url.searchParams.set("login", "message");
    return url.href;
  }

  async #logIn() {
    const { token, stream } = this.#options;
    this.#problem = undefined;
    this.#following.opened();
    if (token) {
      const secret = typeof token === "function" ? await token() : token;
      this.#connection.send(JSON.stringify({ token: secret }));
    } else if (!stream) {
      this.#ready();
    }
  }

  #receive(data) {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return; // not for this client: plain routes speak text
    }
    if (typeof event?.type !== "string" || event.id === PING) return; // even a refusal shows that somebody is there
    if (event.type === "joined") this.#joined(event);
    else if (event.type === "replay") this.#replayed(event);
    else this.#happened(event);
  }

  #joined(event) {
    const promised = event.messages ?? [];
    const resumed = this.#following.begin(this.#cursor, event, promised.length > 0); // where any follow, some are in here
    const messages = this.#fresh(promised);
    this.#listeners.emit({ ...event, messages, resumed });
    this.#following.proceed();
    this.#ready();
  }

  #replayed(event) {
    this.#listeners.emit({ ...event, messages: this.#fresh(event.messages) });
    this.#following.proceed();
  }

  /** What of a replay is new. What we sent ourselves is thereby acknowledged. */
  #fresh(messages) {
    return messages.filter((message) => {
      const ours = this.#outgoing.settle(message);
      return this.#following.take(this.#cursor, message, ours).fresh;
    });
  }

  #happened(event) {
    if (event.type === "auth") this.#authenticated(event);
    if (event.type === "error" && event.id == null) this.#problem = event.message;
    if (event.id != null && (this.#options.answers?.(event) ?? true)) this.#outgoing.settle(event);
    const { replaying } = this.#cursor;
    if (this.#options.stream && !this.#following.take(this.#cursor, event).fresh) return;
    this.#listeners.emit(event);
    if (replaying) this.#following.proceed(); // a live entry ends a replay
  }

  #authenticated({ status, message }) {
    if (status !== "ok") this.#problem = message;
    else if (!this.#options.stream) this.#ready();
  }

  #ready() {
    this.#opened = true;
    if (!this.#options.stream) this.#status.set(described({ state: "connected" }));
    this.#outgoing.resume();
  }

  #connectionChanged(status) {
    if (status.state === "open") return; // it counts as connected once logged in and joined
    this.#opened = false;
    this.#following.lost();
    this.#outgoing.pause();
    this.#status.set(described({ ...status, message: this.#problem }));
    if (status.state === "stopped") this.#outgoing.abandon({ code: "closed", message: this.status.text });
  }
}
