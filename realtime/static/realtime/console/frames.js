/** The list of frames: bounded, drawn once per screen refresh, so that a busy route does not stop the page. */

import { copyFrom } from "../page/clipboard.js";
import { element } from "../page/dom.js";
import { dump, inWords, sizeOf } from "./bytes.js";

const KEPT = 1000;
const PREVIEW = 300; // characters of a frame in its one line

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" });
const count = new Intl.NumberFormat();
const ARROWS = { in: "↓", out: "↑", note: "•" };
const WORDS = { in: "received", out: "sent", note: "" };

export class Frames {
  #list;
  #scroll;
  #empty;
  #totals;
  #waiting = [];
  #drawing = false;
  #paused = false;
  #sums = { in: 0, out: 0, bytes: 0 };

  constructor({ list, scroll, empty, totals }) {
    this.#list = list;
    this.#scroll = scroll;
    this.#empty = empty;
    this.#totals = totals;
  }

  /** Add a frame: `direction` is `in`, `out`, or `note` for what is no frame but happened. */
  add(direction, data, tone = "") {
    if (direction !== "note") {
      this.#sums[direction] += 1;
      this.#sums.bytes += sizeOf(data);
    }
    this.#waiting.push({ direction, data, tone, time: new Date() });
    if (this.#waiting.length > KEPT) this.#waiting.shift();
    this.#drawSoon();
  }

  clear() {
    this.#waiting = [];
    this.#sums = { in: 0, out: 0, bytes: 0 };
    this.#list.replaceChildren();
    this.#drawSoon();
  }

  /** While paused, frames are counted and kept, not shown. */
  pause(paused) {
    this.#paused = paused;
    this.#drawSoon();
  }

  #drawSoon() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#drawing = false;
    const { in: received, out: sent, bytes } = this.#sums;
    const held = this.#paused && this.#waiting.length ? ` · ${count.format(this.#waiting.length)} held back` : "";
    this.#totals.textContent = `${count.format(sent)} sent · ${count.format(received)} received · ${inWords(bytes)}${held}`;
    if (this.#paused) return;
    const { scrollTop, clientHeight, scrollHeight } = this.#scroll;
    const atEnd = scrollHeight - scrollTop - clientHeight < 40;
    const batch = this.#waiting.splice(0);
    this.#list.append(...batch.map(row));
    while (this.#list.childElementCount > KEPT) this.#list.firstElementChild.remove();
    this.#empty.hidden = this.#list.childElementCount > 0;
    if (atEnd) this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }
}

function row({ direction, data, tone, time }) {
  const head = [
    element("span", { className: "frame-arrow", aria: { hidden: "true" } }, ARROWS[direction]),
    element("time", { className: "frame-time", dateTime: time.toISOString() }, clock.format(time)),
  ];
  if (direction === "note") {
    return element("li", { className: "frame", data: { direction, tone } }, ...head, element("span", { className: "frame-note" }, data));
  }
  const binary = typeof data !== "string";
  const preview = binary ? `binary: ${dump(data.slice(0, 16)).slice(8, 55).trim()}` : data.slice(0, PREVIEW) || "empty";
  const details = element(
    "details",
    {},
    element(
      "summary",
      {},
      ...head,
      element("span", { className: "visually-hidden" }, WORDS[direction]),
      element("span", { className: "frame-size" }, inWords(sizeOf(data))),
      element("code", { className: "frame-preview", dir: "auto" }, preview),
    ),
  );
  details.addEventListener("toggle", () => open(details, data), { once: true });
  return element("li", { className: "frame", data: { direction, empty: String(data === "") } }, details);
}

function open(details, data) {
  const text = typeof data === "string" ? pretty(data) : dump(data);
  const copyButton = element("button", { type: "button" }, "Copy");
  copyButton.addEventListener("click", () => copyFrom(copyButton, text));
  details.append(element("div", { className: "line" }, element("pre", { tabIndex: 0, dir: "auto" }, text), copyButton));
}

/** JSON objects and arrays indented; all else as it came. */
function pretty(text) {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
