/** Admin's page of open connections: asked for every two seconds while somebody looks. Names are text, never markup. */

import { element } from "../page/dom.js";
import { counted } from "../page/numbers.js";

const EVERY_MS = 2000;
const ANSWER_MS = 3000;
const SLOW_BYTES = 64 * 1024; // so much waiting is worth a look

const page = document.querySelector("[data-connections]");
const part = (name) => page.querySelector(`[data-${name}]`);
const body = part("rows");
const shown = new Map(); // id → {row, said}: the element, and what it says, so that only news is drawn
const number = new Intl.NumberFormat();
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

const UNITS = ["KiB", "MiB", "GiB", "TiB"]; // past bytes

function bytes(count) {
  if (count < 1024) return counted(count, "byte");
  let unit = -1;
  for (; count >= 1024 && unit < UNITS.length - 1; unit++) count /= 1024;
  return `${number.format(Math.round(count * 10) / 10)} ${UNITS[unit]}`;
}

const traffic = (messages, size) => [counted(messages, "message"), bytes(size)];
const link = ([label, href]) => element("a", { href }, label);
const lines = (items) => element("ul", {}, ...items.map((item) => element("li", {}, item)));

const isToday = (date) => date.toDateString() === new Date().toDateString();

/** The time for today, the date and time for another day. */
function since(iso) {
  const date = new Date(iso);
  const said = isToday(date) ? [clock.format(date)] : [day.format(date), clock.format(date)];
  return element("time", { dateTime: iso, title: full.format(date) }, said.join(" "));
}

/** What each cell says, and how it is drawn when that is new. */
const CELLS = [
  (row) => [
    [row.who, row.user, row.token_name, row.token],
    () => lines([row.user ? link([row.who, row.user]) : row.who, ...(row.token ? [link([row.token_name, row.token])] : [])]),
  ],
  (row) => [[row.route, row.streams], () => lines([row.route, ...row.streams.map(link)])],
  (row) => [[row.since, isToday(new Date(row.since))], () => since(row.since)],
  (row) => [row.address, () => row.address],
  (row) => [[row.messages_in, row.bytes_in], () => lines(traffic(row.messages_in, row.bytes_in))],
  (row) => [[row.messages_out, row.bytes_out], () => lines(traffic(row.messages_out, row.bytes_out))],
  (row) => [row.waiting, () => bytes(row.waiting)],
  (row) => [row.acts, () => lines(row.acts.map((act) => named(link(act), row)))],
];
const WAITING = 6;

/** A screen reader meets the same label in every row, so it is told whose it is. */
function named(act, row) {
  act.setAttribute("aria-label", `${act.textContent} ${row.who}, ${row.route}`);
  return act;
}

function draw(row) {
  const found = shown.get(row.id) ?? { element: element("tr", {}, ...CELLS.map(() => element("td"))), said: [] };
  CELLS.forEach((cell, index) => {
    const [facts, make] = cell(row);
    const says = JSON.stringify(facts);
    if (found.said[index] === says) return; // what has the focus stays where it is
    found.said[index] = says;
    found.element.cells[index].replaceChildren(make());
  });
  found.element.cells[WAITING].toggleAttribute("data-slow", row.waiting > SLOW_BYTES);
  shown.set(row.id, found);
  return found.element;
}

/** Put the rows into their order, moving none that stands where it belongs. */
function arrange(rows) {
  const here = new Set(rows.map((row) => row.id));
  for (const [id, { element: gone }] of shown) {
    if (here.has(id)) continue;
    gone.remove();
    shown.delete(id);
  }
  rows.map(draw).forEach((made, index) => {
    if (body.rows[index] !== made) body.insertBefore(made, body.rows[index] ?? null);
  });
}

function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

function show({ rows, totals, more, processes, complete }) {
  arrange(rows);
  const where = `${counted(totals.connections, "connection")} in ${counted(processes, "process", "processes")}`;
  const received = `received ${traffic(totals.messages_in, totals.bytes_in).join(" · ")}`;
  const sent = `sent ${traffic(totals.messages_out, totals.bytes_out).join(" · ")}`;
  say(part("totals"), `${where}: ${received}; ${sent}; ${bytes(totals.waiting)} waiting.`);
  say(part("more"), more ? `And ${number.format(more)} more, older ones. Search to find one of them.` : "");
  say(part("problem"), complete ? "" : "Only this process is shown: the others cannot be asked now.");
}

let asking = false;

async function refresh() {
  if (document.hidden || asking) return;
  asking = true;
  try {
    const signal = AbortSignal.timeout(ANSWER_MS); // a path that went silent would keep it waiting for minutes
    const answer = await fetch(page.dataset.connections + location.search, { cache: "no-store", redirect: "error", signal });
    if (!answer.ok) throw new Error(answer.statusText);
    show(await answer.json());
  } catch {
    say(part("problem"), "The server does not answer. This is how it was before.");
  } finally {
    asking = false;
  }
}

async function keepFresh() {
  for (;;) {
    await refresh();
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

document.addEventListener("visibilitychange", refresh);
keepFresh();
