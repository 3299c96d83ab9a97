/** The list of topics: a tick follows one, its name shows it alone, a badge counts what is new. */

import { element } from "../realtime/page/dom.js";

export class TopicList {
  #place;
  #none;
  #acts;
  #rows = new Map(); // name → { row, tick, name, badge }

  /** `acts`: `follow(name)`, `leave(name)`, `open(name)`. */
  constructor(place, none, acts) {
    this.#place = place;
    this.#none = none;
    this.#acts = acts;
    none.hidden = false;
  }

  get names() {
    return Array.from(this.#rows.keys());
  }

  has(name) {
    return this.#rows.has(name);
  }

  /** Add a topic, `me` first and the others by name. */
  add({ name, title = "", description = "" }) {
    if (this.#rows.has(name)) return;
    const tick = element("input", { type: "checkbox", id: `topic-${name}`, aria: { label: `Follow ${name}` } });
    const open = element("button", { type: "button", className: "topic-name", aria: { pressed: "false" } }, element("bdi", {}, title || name));
    if (title) open.append(element("code", { className: "soft small" }, name));
    if (description) open.append(element("span", { className: "soft small topic-about", dir: "auto" }, description));
    const badge = element("span", { className: "badge", data: { tone: "good" }, hidden: true });
    const row = element("li", { className: "topic", data: { topic: name } }, tick, open, badge);
    tick.addEventListener("change", () => (tick.checked ? this.#acts.follow(name) : this.#acts.leave(name)));
    open.addEventListener("click", () => this.#acts.open(name));
    const next = this.names.filter((other) => other !== "me" && (name === "me" || other > name)).sort()[0];
    this.#place.insertBefore(row, next ? this.#rows.get(next).row : null);
    this.#rows.set(name, { row, tick, open, badge });
    this.#none.hidden = true;
  }

  /** Whether `name` is followed. */
  tick(name, followed) {
    const found = this.#rows.get(name);
    if (found) found.tick.checked = followed;
  }

  /** Show `count` new ones; with `more` there are others further back. */
  count(name, count, more) {
    const found = this.#rows.get(name);
    if (!found) return;
    found.badge.hidden = count === 0;
    found.badge.replaceChildren(`${count}${more ? "+" : ""}`, element("span", { className: "visually-hidden" }, " new"));
  }

  /** Mark the topic that is shown alone. */
  choose(name) {
    for (const [each, { open }] of this.#rows) open.setAttribute("aria-pressed", String(each === name));
  }
}
