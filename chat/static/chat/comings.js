/** People who come and go, in one line: one by one while they are few, then how many. */

import { element } from "../realtime/page/dom.js";
import { counted } from "../realtime/page/numbers.js";

const TOLD = 3; // comings and goings told one by one
const KNOWN = 5000; // people remembered, so that each counts once

export class Comings {
  // Not read out: what people say would be lost among it.
  line = element("p", { className: "event", aria: { live: "off" } });
  #told = 0;
  #people = new Set();
  #crowd = { join: 0, leave: 0 }; // told of without names
  #came = false;
  #went = false;

  /** Take a `system` event. */
  add({ event, message, name, sender_id, people = 1 }) {
    this.#told += 1;
    this.#came ||= event === "join";
    this.#went ||= event === "leave";
    if (!name) this.#crowd[event] += people;
    else if (this.#people.size < KNOWN) this.#people.add(sender_id ?? name);
    if (this.#told > TOLD || !name) this.line.replaceChildren(this.#words());
    else this.line.append(this.#told > 1 ? " · " : "", element("bdi", {}, message));
  }

  #words() {
    const count = this.#people.size + Math.max(this.#crowd.join, this.#crowd.leave); // who came in a crowd also leaves in one
    const people = `${this.#people.size === KNOWN ? "more than " : ""}${counted(count, "person", "people")}`;
    return `${people} ${this.#came ? "came" : ""}${this.#came && this.#went ? " and " : ""}${this.#went ? (this.#came ? "went" : "left") : ""}`;
  }
}
