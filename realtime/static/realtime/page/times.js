/** Times as people here read them, and as they stay true on a page that is open for days. */

import { element } from "./dom.js";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const withYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "always" });
const MINUTE_MS = 60 * 1000;
const UNITS = [["year", 365 * 24 * 60], ["month", 30 * 24 * 60], ["week", 7 * 24 * 60], ["day", 24 * 60], ["hour", 60], ["minute", 1]]; // in minutes

/** `10:32`. */
export const timeOf = (date) => clock.format(date);

/** The whole of it: `Friday, 4 July 2025 at 10:32`. */
export const fullTimeOf = (date) => full.format(date);

/** The local day, as a key to tell days apart: `2025-07-04`. */
export function dayOf(date) {
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** A day in words: Today, Yesterday, Friday 4 July. */
export function dayInWords(day, now = new Date()) {
  if (day === dayOf(now)) return "Today";
  if (day === dayOf(new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1))) return "Yesterday";
  const date = new Date(`${day}T12:00:00`);
  return date.getFullYear() === now.getFullYear() ? weekday.format(date) : withYear.format(date);
}

/** `10:32` for today, `Yesterday, 10:32` for another day. */
export function momentInWords(date, now = new Date()) {
  const day = dayInWords(dayOf(date), now);
  return day === "Today" ? timeOf(date) : `${day}, ${timeOf(date)}`;
}

/** `5 minutes ago`, in the largest unit that is full. */
export function agoInWords(date, now = new Date()) {
  const minutes = Math.floor((now - date) / MINUTE_MS);
  const [unit, size] = UNITS.find(([, size]) => minutes >= size) ?? ["minute", Infinity];
  return size === Infinity ? "just now" : relative.format(-Math.floor(minutes / size), unit);
}

const WORDS = {
  day: ({ dateTime }) => dayInWords(dateTime),
  moment: ({ dateTime }) => momentInWords(new Date(dateTime)),
  ago: ({ dateTime }) => agoInWords(new Date(dateTime)),
};

/** A <time> whose words `keepTimesTrue` keeps true: a `day`, a `moment`, or how long `ago`. */
export function said(kind, dateTime, properties = {}) {
  const time = element("time", { ...properties, dateTime, data: { said: kind } });
  time.textContent = WORDS[kind](time);
  return time;
}

/** Say all times with `data-said` anew each minute, and when somebody comes back to the page. */
export function keepTimesTrue() {
  const say = () => {
    for (const time of document.querySelectorAll("time[data-said]")) {
      const words = WORDS[time.dataset.said](time);
      if (time.textContent !== words) time.textContent = words;
    }
  };
  setInterval(say, MINUTE_MS);
  document.addEventListener("visibilitychange", say);
  addEventListener("pageshow", say);
}
