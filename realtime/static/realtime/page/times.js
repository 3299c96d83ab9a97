/** Times as people here read them. */

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const withYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const DAY_MS = 24 * 3600 * 1000;

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
  if (day === dayOf(new Date(now.getTime() - DAY_MS))) return "Yesterday";
  const date = new Date(`${day}T12:00:00`);
  return date.getFullYear() === now.getFullYear() ? weekday.format(date) : withYear.format(date);
}
