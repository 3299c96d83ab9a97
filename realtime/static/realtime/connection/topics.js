/**
 * Many streams over one socket, as the notifications route carries them: each topic comes back where it was read, and
 * each of its entries is told once and in order.
 *
 *   import { connectTopics } from "/static/realtime/connection/topics.js";
 *
 *   const topics = connectTopics("/ws/notifications/");
 *   topics.on("begin", ({ topic, resumed }) => …);      // `resumed`: what follows continues what you have; else start anew
 *   topics.on("notification", ({ topic, message, replayed }) => …);
 *   topics.on("refused", ({ topic, message }) => …);
 *   topics.subscribe({ alerts: { seq: 12, epoch: "k3f9" }, backups: undefined });      // after a position, or from now on
 */

import { Following } from "./following.js";
import { Listeners, Watched } from "./listeners.js";
import { connect, uuid } from "./socket.js";
import { described } from "./words.js";

const ENTRIES = ["notification", "retracted"];
const OTHERS = ["acked", "error"];

/** Connect to `route`; `options` are those of `connect` in socket.js. */
export function connectTopics(route, options = {}) {
  return new Topics(connect(route, options));
}

class Topics {
  #socket;
  #following = new Following({ what: "notification", settled: (status) => this.#status.set(described(status)) });
  #followed = new Map(); // name → { cursor, since }
  #asked = new Set(); // ids of subscribe commands without an answer
  #published = new Set(); // ids of ours, which we cannot have missed
  #listeners = new Listeners();
  #status;

  constructor(socket) {
    this.#socket = socket;
    this.#status = new Watched(socket.status);
    for (const type of ENTRIES) socket.on(type, (event) => this.#came(event));
    for (const type of OTHERS) socket.on(type, (event) => this.#listeners.emit(event));
    socket.on("subscribed", ({ streams }) => this.#subscribed(streams));
    socket.on("unsubscribed", ({ topics }) => topics.forEach((topic) => this.#ended(topic)));
    socket.onStatus((status) => this.#socketChanged(status));
  }

  /** Call `listener(event)` for `begin`, `refused`, `ended` and the protocol's `notification`, `retracted`, `acked`, `error`. */
  on(type, listener) {
    return this.#listeners.on(type, listener);
  }

  /** As in socket.js, but it counts as connected once what was missed has come. */
  get status() {
    return this.#status.value;
  }

  onStatus(listener) {
    return this.#status.watch(listener);
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

  /** Publish; resolves with `published`, rejects with a CommandError. Repeated with its id until it is answered. */
  publish(notification) {
    const id = uuid();
    this.#published.add(id);
    return this.#socket.request({ action: "publish", ...notification, id });
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
