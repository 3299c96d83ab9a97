/**
 * Many streams over one socket, each under its topic: each comes back where it was read, and each of its entries is told
 * once and in order.
 *
 *   import { connectTopics } from "/static/realtime/connection/topics.js";
 *
 *   const topics = connectTopics("/ws/…/", { entries: ["report", "retracted"], what: "report" });
 *   topics.on("begin", ({ topic, resumed }) => …);      // `resumed`: what follows continues what you have; else start anew
 *   topics.on("report", ({ topic, seq, replayed, ours }) => …);
 *   topics.on("refused", ({ topic, message }) => …);
 *   topics.subscribe({ alerts: { seq: 12, epoch: "k3f9" }, backups: undefined });      // after a position, or from now on
 */

import { Following } from "./following.js";
import { Listeners, Watched } from "./listeners.js";
import { connect, uuid } from "./socket.js";
import { described } from "./words.js";

const OWN = ["begin", "refused", "ended"]; // events that the server does not send in this form

/**
 * Connect to `route`. Options are those of `connect` in socket.js, and `entries`: the types of the events that are entries
 * of a topic. They carry the id with which their sender published them, which is not the answer to `publish`.
 */
export function connectTopics(route, { entries, ...options }) {
  return new Topics(connect(route, { answers: ({ type }) => !entries.includes(type), ...options }), entries, options.what);
}

class Topics {
  #socket;
  #following;
  #followed = new Map(); // name → { cursor, since }
  #asked = new Set(); // ids of subscribe commands without an answer
  #published = new Set(); // ids of ours, which we cannot have missed
  #told; // types of the events that are told from here; all others the socket tells
  #listeners = new Listeners();
  #status;

  constructor(socket, entries, what) {
    this.#socket = socket;
    this.#told = new Set([...OWN, ...entries]);
    this.#status = new Watched(socket.status);
    this.#following = new Following({ what, settled: (status) => this.#status.set(described(status)) });
    for (const type of entries) socket.on(type, (event) => this.#came(event));
    socket.on("subscribed", ({ streams }) => this.#subscribed(streams));
    socket.on("unsubscribed", ({ topics }) => topics.forEach((topic) => this.#ended(topic)));
    socket.onStatus((status) => this.#socketChanged(status));
  }

  /** Call `listener(event)` for `begin`, `refused`, `ended`, for entries, which also say whether they are `replayed` and
      `ours`, and for whatever else the protocol names. Returns a function that stops it. */
  on(type, listener) {
    return (this.#told.has(type) ? this.#listeners : this.#socket).on(type, listener);
  }

  /** As in socket.js, but it counts as connected once what was missed has come. */
  get status() {
    return this.#status.value;
  }

  onStatus(listener) {
    return this.#status.watch(listener);
  }

  /** As in socket.js. */
  get pending() {
    return this.#socket.pending;
  }

  tryNow() {
    this.#socket.tryNow();
  }

  /** The names subscribed to, or asked for. */
  get names() {
    return Array.from(this.#followed.keys());
  }

  /** Follow topics, each after a position `{seq, epoch}` or, where that is undefined, from now on. */
  subscribe(topics) {
    const fresh = Object.entries(topics).filter(([name]) => !this.#followed.has(name));
    for (const [name, since] of fresh) this.#followed.set(name, { cursor: this.#following.follow(), since });
    if (fresh.length && this.#socket.status.state === "connected") this.#ask(fresh.map(([name]) => name));
  }

  unsubscribe(name) {
    if (!this.#followed.has(name)) return;
    this.#ended(name);
    this.#socket.signal({ action: "unsubscribe", topics: [name] });
  }

  /** Publish an entry, `topic` being a field of it; resolves with the answer, rejects with a CommandError. It is repeated
      with its id until it is answered. */
  publish(entry) {
    const id = uuid();
    this.#published.add(id);
    return this.#socket.request({ action: "publish", ...entry, id });
  }

  /** Acknowledge a topic up to a position; all the user's sockets are told by `acked`. */
  acknowledge(topic, seq) {
    return this.#socket.request({ action: "ack", topic, seq });
  }

  #socketChanged(status) {
    if (status.state === "connected") {
      this.#following.opened();
      if (this.#followed.size) this.#ask(this.names);
      else this.#proceed();
      return;
    }
    for (const id of this.#asked) this.#socket.discard(id); // with the next connection all is asked anew
    this.#asked.clear();
    this.#following.lost();
    this.#status.set(described(status));
  }

  async #ask(names) {
    const id = uuid();
    const known = names.map((name) => [name, this.#followed.get(name)]).filter(([, topic]) => topic);
    const since = Object.fromEntries(known.map(([name, { cursor, since }]) => [name, cursor.position ?? since]));
    this.#asked.add(id);
    try {
      await this.#socket.request({ action: "subscribe", id, topics: names, since });
    } catch (error) {
      this.#refused(names, error);
    } finally {
      this.#asked.delete(id);
      this.#proceed();
    }
  }

  /** One topic that is refused refuses all, so each is asked for alone then. */
  #refused(names, error) {
    if (error.code === "closed") return;
    if (names.length > 1) {
      for (const name of names) this.#ask([name]);
      return;
    }
    const [topic] = names;
    this.#leave(topic);
    const message = error.message.startsWith(`${topic}: `) ? error.message.slice(topic.length + 2) : error.message;
    this.#listeners.emit({ type: "refused", topic, message });
  }

  #subscribed(streams) {
    for (const [topic, start] of Object.entries(streams)) {
      const followed = this.#followed.get(topic);
      if (!followed) continue; // left meanwhile
      const { cursor, since } = followed;
      const resumed = this.#following.begin(cursor, start, cursor.known || Boolean(since)); // from now on: nothing follows
      this.#listeners.emit({ type: "begin", topic, resumed, ...start });
    }
    this.#proceed();
  }

  #came(event) {
    const cursor = this.#followed.get(event.topic)?.cursor;
    if (!cursor) return;
    const { replaying } = cursor;
    const ours = this.#published.has(event.id);
    const { fresh, replayed } = this.#following.take(cursor, event, ours);
    if (!fresh) return;
    this.#published.delete(event.id);
    this.#listeners.emit({ ...event, replayed, ours });
    if (replaying) this.#proceed();
  }

  #ended(topic) {
    if (this.#leave(topic)) this.#listeners.emit({ type: "ended", topic });
  }

  /** Returns whether it was followed. */
  #leave(topic) {
    this.#following.leave(this.#followed.get(topic)?.cursor);
    return this.#followed.delete(topic);
  }

  /** While a subscription is not answered, more is to come. */
  #proceed() {
    if (!this.#asked.size) this.#following.proceed();
  }
}
