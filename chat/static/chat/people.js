/** Who is here, and who is typing. */

import { element } from "../realtime/page/dom.js";
import { mark } from "./voice.js";

const TYPING_MS = 4000; // after the last sign of it
const NAMED = 100; // people up to whom all are listed

export class People {
  #list;
  #count;
  #more;
  #you = "";
  #names = new Set();
  #total = 0;

  constructor({ list, count, more }) {
    this.#list = list;
    this.#count = count;
    this.#more = more;
  }

  /** Take `users` and `you` of a `joined` event. */
  joined({ users, you }) {
    this.#you = you;
    this.#names = new Set(users.names ?? [you]);
    this.#total = users.count;
    this.#show();
  }

  /** Take a `system` event: somebody joined or left. */
  changed({ event, name, users }) {
    if (event === "leave") this.#names.delete(name);
    else if (name && users.count <= NAMED) this.#names.add(name);
    this.#total = users.count;
    this.#show();
  }

  #show() {
    const names = Array.from(this.#names).sort((one, other) => (other === this.#you) - (one === this.#you) || one.localeCompare(other));
    this.#list.replaceChildren(...names.map((name) => person(name, name === this.#you)));
    this.#count.textContent = String(this.#total);
    const others = this.#total - names.length;
    this.#more.hidden = others <= 0;
    this.#more.textContent = `and ${others} more`;
  }
}

function person(name, isYou) {
  const row = element("li", { className: "person", title: name }, mark(name, "mark-small"), element("bdi", {}, name));
  if (isYou) row.append(element("span", { className: "soft" }, "you"));
  return row;
}

export class Typing {
  #place;
  #until = new Map(); // name → timer

  constructor(place) {
    this.#place = place;
  }

  saw(name) {
    clearTimeout(this.#until.get(name));
    this.#until.set(name, setTimeout(() => this.stopped(name), TYPING_MS));
    this.#show();
  }

  stopped(name) {
    clearTimeout(this.#until.get(name));
    if (this.#until.delete(name)) this.#show();
  }

  #show() {
    const [first, second, ...rest] = this.#until.keys();
    const name = (text) => element("bdi", {}, text);
    if (first === undefined) this.#place.replaceChildren();
    else if (second === undefined) this.#place.replaceChildren(name(first), " is typing…");
    else if (rest.length === 0) this.#place.replaceChildren(name(first), " and ", name(second), " are typing…");
    else this.#place.replaceChildren(name(first), ` and ${rest.length + 1} others are typing…`);
  }
}
