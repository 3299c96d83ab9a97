/** Commands on their way: each has an id, stays until the server answered it, and is sent again after a reconnect. */

import { backOff } from "./connection.js";

const RATE = 15; // commands per second and at once; the server allows 20 and 60 unless configured otherwise
const BURST = 40;
const BYTES = 8192; // a longer command counts as several
const HISTORY_COST = 5;
const TOPICS_PER_COST = 8;
const ANSWER_LIMIT = 12; // seconds; the server answers within 5, so past this the connection is dead

/** A random UUID, also on pages served by plain http, where crypto.randomUUID is missing. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40; // version 4
  bytes[8] = (bytes[8] & 0x3f) | 0x80; // variant of RFC 9562
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** A command as a frame. Half a surrogate pair, which no UTF-8 can hold, becomes U+FFFD as it does in a form. */
export function encode(command) {
  return JSON.stringify(command, (_, value) => (typeof value === "string" ? value.replace(/\p{Surrogate}/gu, "\ufffd") : value));
}

/** As how many commands the server counts this one; see "Limits" in docs/protocol.md. */
function costOf(command) {
  const bytes = new TextEncoder().encode(encode(command)).length;
  const history = command.action === "history" ? HISTORY_COST - 1 : 0;
  return Math.max(1, bytes / BYTES) + history + Math.floor((command.topics?.length ?? 0) / TOPICS_PER_COST);
}

/** What the server answered instead of doing it: `code`, `message`, and `fields` where the command was malformed. */
export class CommandError extends Error {
  constructor({ code, message, fields }) {
    super(message);
    this.name = "CommandError";
    this.code = code;
    this.fields = fields;
  }
}

export class Outgoing {
  #entries = new Map();
  #transmit;
  #changed;
  #stalled;
  #store;
  #ready = false;
  #tokens = BURST;
  #refilledAt = Date.now();
  #pausedUntil = 0;
  #timer = 0;

  /** `transmit(text)` puts a frame on the wire, `changed()` says that `list` is another, `stalled()` that answers stay
      away; `store` (see store.js) keeps commands over a reload. */
  constructor({ transmit, changed, stalled, store }) {
    this.#transmit = transmit;
    this.#changed = changed;
    this.#stalled = stalled;
    this.#store = store;
    for (const command of store.load()) this.#add(command, true);
  }

  /** What was not acknowledged yet: `{id, command, state: "waiting" | "sent" | "failed", error?}`, oldest first. */
  get list() {
    return Array.from(this.#entries.values(), ({ id, command, state, error }) => ({ id, command, state, error }));
  }

  has(id) {
    return this.#entries.has(id);
  }

  /** Send `command` (given an id where it has none) as soon as possible. Resolves with the server's answer. */
  add(command, kept) {
    const entry = this.#add({ ...command, id: command.id ?? uuid() }, kept);
    this.#update();
    this.#drain();
    return entry.promise;
  }

  /** Send a failed command once more, as a new one. */
  retry(id) {
    const entry = this.#entries.get(id);
    if (entry?.state !== "failed") return;
    this.#entries.delete(id);
    this.add({ ...entry.command, id: undefined }, entry.kept);
  }

  discard(id) {
    if (this.#entries.delete(id)) this.#update();
  }

  /** The connection is open and logged in: what has no answer goes out again. */
  resume() {
    this.#ready = true;
    for (const entry of this.#entries.values()) if (entry.state === "sent") entry.state = "waiting";
    this.#update();
    this.#drain();
  }

  /** The connection is gone. */
  pause() {
    this.#ready = false;
    clearTimeout(this.#timer);
  }

  /** Nothing will be sent any more. */
  abandon(error) {
    this.pause();
    for (const entry of this.#entries.values()) if (entry.state !== "failed") this.#fail(entry, error);
    this.#update();
  }

  /** Take an answer from the server. Returns whether it was for one of ours. */
  settle(event) {
    const entry = this.#entries.get(event.id);
    if (!entry || entry.state === "failed") return false;
    if (event.type !== "error") {
      this.#entries.delete(event.id);
      entry.resolve(event);
    } else if (event.code === "unavailable") {
      entry.state = "waiting"; // the outcome is unknown, and the same id makes it happen once
      entry.tries += 1;
      entry.notBefore = Date.now() + 1000 * (0.5 + backOff(entry.tries));
    } else if (event.code === "rate_limited") {
      entry.state = "waiting";
      this.#pausedUntil = Date.now() + 1000 * (event.retry_after ?? 1);
      this.#tokens = 1;
    } else {
      this.#fail(entry, event);
    }
    this.#update();
    this.#drain();
    return true;
  }

  #add(command, kept) {
    const entry = { id: command.id, command, kept, state: "waiting", tries: 0, notBefore: 0, sentAt: 0 };
    entry.promise = new Promise((resolve, reject) => Object.assign(entry, { resolve, reject }));
    entry.promise.catch(() => {}); // a failure is also in `list`; a caller need not listen to both
    this.#entries.set(entry.id, entry);
    return entry;
  }

  #fail(entry, error) {
    if (entry.kept) Object.assign(entry, { state: "failed", error });
    else this.#entries.delete(entry.id);
    entry.reject(new CommandError(error));
  }

  #update() {
    this.#store.save(Array.from(this.#entries.values()).filter((entry) => entry.kept));
    this.#changed();
  }

  #drain() {
    clearTimeout(this.#timer);
    if (!this.#ready) return;
    const now = Date.now();
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#refilledAt) / 1000) * RATE);
    this.#refilledAt = now;
    let wake = Infinity;
    let moved = false;
    for (const entry of this.#entries.values()) {
      if (entry.state === "sent") wake = Math.min(wake, entry.sentAt + ANSWER_LIMIT * 1000);
      if (entry.state !== "waiting") continue;
      const free = this.#tokens >= 1 ? now : now + (1000 * (1 - this.#tokens)) / RATE;
      const due = Math.max(entry.notBefore, this.#pausedUntil, free);
      if (due <= now && this.#transmit(encode(entry.command))) {
        Object.assign(entry, { state: "sent", sentAt: now });
        this.#tokens -= costOf(entry.command);
        moved = true;
        wake = Math.min(wake, now + ANSWER_LIMIT * 1000);
      } else {
        wake = Math.min(wake, Math.max(due, now + 50));
      }
    }
    if (moved) this.#changed();
    if (wake < Infinity) this.#timer = setTimeout(() => this.#wake(), wake - now);
  }

  #wake() {
    const late = Date.now() - ANSWER_LIMIT * 1000;
    if (Array.from(this.#entries.values()).some((entry) => entry.state === "sent" && entry.sentAt <= late)) this.#stalled();
    else this.#drain();
  }
}
