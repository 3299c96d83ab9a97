/** The big number: always a committed state, and never an older one after a newer one. */

import { element } from "../realtime/page/dom.js";

const SPEAK_EVERY_MS = 1500; // a busy counter must not talk without end

const format = new Intl.NumberFormat();

/** A value as people read it: `−1,234`. */
export const inWords = (value) => format.format(value).replace("-", "−");

export class BigNumber {
  #place;
  #spoken;
  #version;
  #speaking = 0;
  value;

  /** `place` shows it and carries the first state; `spoken` is where screen readers hear of changes. */
  constructor(place, spoken) {
    this.#place = place;
    this.#spoken = spoken;
    this.#version = Number(place.dataset.version);
    this.value = Number(place.dataset.value);
    this.#draw();
  }

  /** Take a state `{value, version}`. Returns whether it is newer than what was shown. */
  take({ value, version }) {
    if (version <= this.#version) return false;
    const from = value === this.value ? "" : value > this.value ? "below" : "above";
    Object.assign(this, { value });
    this.#version = version;
    this.#draw(from);
    this.#speaking ||= setTimeout(() => this.#speak(), SPEAK_EVERY_MS);
    return true;
  }

  #draw(from = "") {
    const text = inWords(this.value);
    this.#place.style.setProperty("--length", text.length);
    this.#place.replaceChildren(element("span", { data: { from } }, text));
  }

  #speak() {
    this.#speaking = 0;
    this.#spoken.textContent = inWords(this.value);
  }
}
