/** Urgent notifications stay on top until each is dismissed, whatever is acknowledged with others. This browser remembers it
    for each person. */

import { STAYS } from "./priorities.js";
import { remembered } from "./storage.js";

const KEPT = 200; // remembered of either kind

const nameOf = ({ topic, seq, timestamp }) => `${topic} ${seq} ${timestamp}`;

export class Urgent {
  #held; // name → { topic, seq, timestamp }: were on top and not dismissed
  #dismissed; // names
  #holding;
  #dismissals;

  constructor(visitor) {
    this.#holding = remembered("localStorage", `held ${visitor}`, []);
    this.#dismissals = remembered("localStorage", `dismissed ${visitor}`, []);
    this.#held = new Map(this.#holding.load().map((event) => [nameOf(event), event]));
    this.#dismissed = new Set(this.#dismissals.load());
  }

  /** Whether `event` stays on top: it is `unread`, or it was there before. */
  stays(event, unread) {
    const name = nameOf(event);
    if (event.priority !== STAYS || event.deleted || this.#dismissed.has(name)) return false;
    if (unread && !this.#held.has(name)) this.#hold(event);
    return this.#held.has(name);
  }

  wasDismissed(event) {
    return this.#dismissed.has(nameOf(event));
  }

  dismiss(event) {
    this.#dismissed.add(nameOf(event));
    this.#dismissals.save(Array.from(this.#dismissed).slice(-KEPT));
    this.#held.delete(nameOf(event));
    this.#save();
  }

  /** The position of the oldest that stays in `topic`; Infinity where there is none. */
  oldest(topic) {
    return Math.min(...Array.from(this.#held.values(), (event) => (event.topic === topic ? event.seq : Infinity)));
  }

  /** Another window of this browser dismissed some. */
  onChange(listener) {
    this.#dismissals.onChange((names) => {
      this.#dismissed = new Set(names);
      for (const name of names) this.#held.delete(name);
      listener();
    });
  }

  #hold({ topic, seq, timestamp }) {
    this.#held.set(nameOf({ topic, seq, timestamp }), { topic, seq, timestamp });
    this.#save();
  }

  #save() {
    this.#holding.save(Array.from(this.#held.values()).slice(-KEPT));
  }
}
