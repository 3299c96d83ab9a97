/** The last hour as a line of steps, and the same in words. */

import { inWords } from "./number.js";

const HOUR = 3600; // seconds
const WIDTH = 600;
const HEIGHT = 100;
const MARGIN = 8; // above the highest and below the lowest
const GRAIN = 4; // seconds; finer steps could not be told apart
const SLIDE_MS = 10_000;
const SVG = "http://www.w3.org/2000/svg";

export class HourLine {
  #points;
  #ahead; // seconds by which the server's clock is ahead of ours
  #words;
  #ground = shape("path", "hour-ground");
  #stroke = shape("path", "hour-stroke");
  #dot = shape("line", "hour-now");

  /** `svg` to draw in, `words` for the text, `data` as the page carries it: `{now, points: [[seconds, value], …]}`. */
  constructor(svg, words, { now, points }) {
    this.#points = points;
    this.#ahead = now - Date.now() / 1000;
    this.#words = words;
    svg.append(this.#ground, this.#stroke, this.#dot);
    this.#draw();
    setInterval(() => document.hidden || this.#draw(), SLIDE_MS);
    document.addEventListener("visibilitychange", () => document.hidden || this.#draw());
  }

  /** The counter stands at `value` from now on. */
  add(value) {
    const now = this.#now();
    const [before, last] = this.#points.slice(-2);
    if (last && now - before[0] < GRAIN) last[1] = value;
    else this.#points.push([now, value]);
    this.#draw();
  }

  #now() {
    return Date.now() / 1000 + this.#ahead;
  }

  #draw() {
    const now = this.#now();
    const begin = now - HOUR;
    // Of what is older than an hour only the last matters: that is where the line begins.
    while (this.#points.length > 1 && this.#points[1][0] <= begin) this.#points.shift();
    if (!this.#points.length) return;
    const values = this.#points.map(([, value]) => value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const x = (at) => ((Math.max(at, begin) - begin) / HOUR) * WIDTH;
    const y = (value) => (high === low ? HEIGHT / 2 : HEIGHT - MARGIN - ((value - low) / (high - low)) * (HEIGHT - 2 * MARGIN));

    // The first point tells where it stood when the hour began.
    const [[, value], ...rest] = this.#points;
    const steps = rest.map(([at, to]) => `H${x(at).toFixed(1)}V${y(to).toFixed(1)}`).join("");
    const line = `M0 ${y(value).toFixed(1)}${steps}H${WIDTH}`;
    this.#stroke.setAttribute("d", line);
    this.#ground.setAttribute("d", `${line}V${HEIGHT}H0Z`);
    const last = y(values.at(-1)).toFixed(1);
    for (const [name, at] of Object.entries({ x1: WIDTH, x2: WIDTH, y1: last, y2: last })) this.#dot.setAttribute(name, at);
    this.#words.textContent = describe(values, low, high);
  }
}

function describe(values, low, high) {
  if (low === high) return "No change in the last hour.";
  const change = values.at(-1) - values[0];
  const moved = change === 0 ? "back where it was" : change > 0 ? `up ${inWords(change)}` : `down ${inWords(-change)}`;
  return `In the last hour: ${moved}, lowest ${inWords(low)}, highest ${inWords(high)}.`;
}

function shape(tag, name) {
  const made = document.createElementNS(SVG, tag);
  made.setAttribute("class", name);
  return made;
}
