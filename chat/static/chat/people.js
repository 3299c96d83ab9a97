/** Who is here, and who is typing. */

import { element } from "../realtime/page/dom.js";
import { keepingFocus, nameOf } from "./name.js";
import { mark } from "./voice.js";

const TYPING_MS = 4000; // after the last sign of it
const NAMED = 100; // people up to whom all are listed

export class People {
  #list;
  #count;
  #more;
  #you = "";
  #names = new Map(); // by id
  #total = 0;

  constructor({ list, count, more }) {
    this.#list = list;
    this.#count = count;
    this.#more = more;
  }

  /** Take `users` and who you are of a `joined` event. */
  joined({ users, you, you_id }) {
    this.#you = you_id;
    const people = users.people ?? [{ id: you_id, name: you }];
    this.#names = new Map(people.map(({ id, name }) => [id ?? name, name]));
    this.#total = users.count;
    this.#show();
  }

  /** Take a `system` event: somebody joined or left. */
  changed({ event, name, sender_id, users }) {
    const id = sender_id ?? name;
    if (event === "leave") this.#names.delete(id);
    else if (name && users.count <= NAMED) this.#names.set(id, name);
    this.#total = users.count;
    this.#show();
  }

  /** Take a `renamed` event: somebody who is here has another name. */
  renamed({ sender_id, was, name }) {
    const id = sender_id ?? was;
    if (!this.#names.has(id)) return;
    this.#names.set(id, name);
    this.#show();
  }

  /** What somebody who is here is called now. */
  nameNow(id) {
    return this.#names.get(id);
  }

  #show() {
    const people = Array.from(this.#names, ([id, name]) => ({ id, name, isYou: id === this.#you }));
    people.sort((one, other) => other.isYou - one.isYou || one.name.localeCompare(other.name));
    keepingFocus(this.#list, () => this.#list.replaceChildren(...people.map(person)));
    this.#count.textContent = String(this.#total);
    const others = this.#total - people.length;
    this.#more.hidden = others <= 0;
    this.#more.textContent = `and ${others} more`;
  }
}

function person({ id, name, isYou }) {
  const row = element("li", { className: "person", title: name, data: { person: id } }, mark(name, "mark-small"), nameOf(id, name));
  if (isYou) row.append(element("span", { className: "soft" }, "you"));
  return row;
}

export class Typing {
  #place;
  #who = new Map(); // id → { name, timer }

  constructor(place) {
    this.#place = place;
  }

  saw(id, name) {
    clearTimeout(this.#who.get(id)?.timer);
    this.#who.set(id, { name, timer: setTimeout(() => this.stopped(id), TYPING_MS) });
    this.#show();
  }

  stopped(id) {
    clearTimeout(this.#who.get(id)?.timer);
    if (this.#who.delete(id)) this.#show();
  }

  #show() {
    const [first, second, ...rest] = Array.from(this.#who.values(), ({ name }) => name);
    const name = (text) => element("bdi", {}, text);
    if (first === undefined) this.#place.replaceChildren();
    else if (second === undefined) this.#place.replaceChildren(name(first), " is typing…");
    else if (rest.length === 0) this.#place.replaceChildren(name(first), " and ", name(second), " are typing…");
    else this.#place.replaceChildren(name(first), ` and ${rest.length + 1} others are typing…`);
  }
}
