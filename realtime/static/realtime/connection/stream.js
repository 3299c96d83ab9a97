/**
 * An event stream that comes back. A browser's own EventSource ends for good on any status but 200 (HTML Living Standard
 * §9.2.3), such as the 502 of a proxy during a restart, and takes no token; this one goes on after the last event that it had.
 *
 *   import { follow } from "/static/realtime/connection/stream.js";
 *
 *   const events = follow("/api/…/stream");                       // an address that docs/http.md lists
 *   events.on("…", ({ seq, message }) => …);                       // an event by its type, as an object
 *   events.onStatus(({ text }) => (badge.textContent = text));
 */

import { backOff } from "./connection.js";
import { EventParser } from "./event_parser.js";
import { Listeners, Watched } from "./listeners.js";
import { watchWaking } from "./waking.js";
import { described } from "./words.js";

const SILENCE = 25; // seconds; the server fills silences of 15
const OPENING_LIMIT = 10; // seconds; a browser may ask on an idle connection that has died too, and each attempt ends one
const STEADY_AFTER = 10; // seconds open, after which the next loss is a first one again
const LONGEST_WAIT = 300; // seconds; a larger Retry-After is a mistake
const TRY_AGAIN = new Set([408, 425, 429]); // and all from 500 on

/**
 * Read the event stream at `address`, a path of this site or a whole http(s):// address. Options:
 * - `token`: an access token, or a function (it may be async) that gives one; else the cookies of this site say who asks;
 * - `lastId`: the id of an event (see `lastId` of what is returned), to go on after it.
 */
export function follow(address, options = {}) {
  return new EventStream(address, options);
}

class EventStream {
  #address;
  #token;
  #listeners = new Listeners();
  #status = new Watched(described({ state: "connecting" }));
  #leaving = new AbortController();
  #reading = null; // aborted when we lose interest in a response
  #attempt = 0;
  #retry = 0; // ms, as the server said
  #openedAt = 0;
  #heardAt = 0;
  #timer = 0;
  #silence = 0;
  /** The id of the last event. */
  lastId;

  constructor(address, { token, lastId = "" }) {
    this.#address = new URL(address, location.href).href;
    this.#token = token;
    this.lastId = lastId;
    watchWaking({ woke: () => this.#wake(), offline: () => this.#offline() }, this.#leaving.signal);
    queueMicrotask(() => this.#open()); // listeners added right after follow() miss nothing
  }

  /** Call `listener(event)` for each event of this `type`. Returns a function that stops it. */
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

  /** Stop waiting and try at once; also after it was refused. */
  tryNow() {
    if (this.status.state === "waiting" || this.status.state === "stopped") this.#open();
  }

  /** Leave for good. */
  close() {
    this.#leaving.abort();
    this.#drop();
    this.#become({ state: "stopped", code: 1000 });
  }

  async #open() {
    if (this.#leaving.signal.aborted) return;
    this.#drop();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    this.#become({ state: "connecting" });
    this.#timer = setTimeout(() => this.#lost({ reason: "no answer" }), OPENING_LIMIT * 1000);
    let loss = {};
    try {
      const response = await fetch(this.#address, { headers: await this.#headers(), cache: "no-store", signal });
      if (signal.aborted) return;
      clearTimeout(this.#timer);
      if (isStream(response)) await this.#read(response.body.getReader(), signal);
      else if (isFinal(response)) return await this.#refused(response, signal);
      else loss = { seconds: Number(response.headers.get("Retry-After")) || 0 };
    } catch (error) {
      if (!signal.aborted && !(error instanceof TypeError)) reportError(error); // a TypeError is fetch's for a lost network
    }
    if (!signal.aborted) this.#lost(loss);
  }

  async #headers() {
    const headers = { Accept: "text/event-stream" };
    if (this.lastId) headers["Last-Event-ID"] = this.lastId;
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    if (token) headers.Authorization = `Bearer ${token}`;
    return headers;
  }

  async #read(reader, signal) {
    this.#openedAt = Date.now();
    this.#heard();
    this.#become({ state: "connected" });
    const decoder = new TextDecoder();
    const parser = new EventParser({ event: (event) => this.#came(event), retry: (ms) => (this.#retry = ms) });
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      this.#heard();
      parser.read(decoder.decode(value, { stream: true }));
    }
  }

  #came({ type, data, id }) {
    if (id) this.lastId = id;
    try {
      this.#listeners.emit({ ...JSON.parse(data), type });
    } catch (error) {
      reportError(error); // one that fails does not keep the next from being told
    }
  }

  async #refused(response, signal) {
    const said = await response.json().catch(() => ({}));
    if (!signal.aborted) this.#become({ state: "stopped", status: response.status, message: said.message ?? `status ${response.status}` });
  }

  #lost({ seconds = 0, reason }) {
    this.#drop();
    const steady = this.#openedAt && Date.now() - this.#openedAt > STEADY_AFTER * 1000;
    this.#attempt = steady ? 0 : this.#attempt + 1;
    const ended = this.#openedAt && !reason; // as all streams of the server do when it stops
    const asked = ended ? this.#retry : 1000 * Math.min(seconds, LONGEST_WAIT);
    this.#openedAt = 0;
    const wait = asked + 1000 * backOff(this.#attempt);
    this.#timer = setTimeout(() => this.#open(), wait);
    this.#become({ state: "waiting", retryAt: Date.now() + wait, reason });
  }

  #drop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#reading?.abort();
  }

  #become(status) {
    this.#status.set(described(status));
  }

  #heard() {
    this.#heardAt = Date.now();
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lost({ reason: "no answer" }), SILENCE * 1000);
  }

  /** A stream cannot be asked, but a silence that is too long shows. */
  #wake() {
    if (this.status.state === "waiting") this.#open();
    else if (this.status.state === "connected" && Date.now() - this.#heardAt > SILENCE * 1000) this.#lost({ reason: "no answer" });
  }

  #offline() {
    if (this.status.state === "connected") this.#lost({});
  }
}

function isStream(response) {
  return response.status === 200 && response.headers.get("Content-Type")?.startsWith("text/event-stream");
}

/** Whether to ask again would bring the same answer. */
function isFinal({ status }) {
  return status === 204 || (status >= 400 && status < 500 && !TRY_AGAIN.has(status));
}
