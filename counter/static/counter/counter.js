/** The counter page: clicks become commands with an id, states become the number and its line. */

import { counted } from "../realtime/page/numbers.js";
import { ready } from "../realtime/page/ready.js";
import { connectPage, part, tellRefused } from "../realtime/page/stream.js";
import { HourLine } from "./line.js";
import { BigNumber, inWords } from "./number.js";

const PATIENCE_MS = 500; // most clicks are counted before anybody could read of it
const PRESSED_MS = 140;
const KEYS = { "+": "plus", "=": "plus", "-": "minus", "−": "minus" }; // = is + without Shift on many keyboards
const WRITING = "input, textarea, select, [contenteditable]";

const counter = connectPage();
const number = new BigNumber(part("number"), part("spoken"));
const line = new HourLine(part("line"), part("line-words"), JSON.parse(document.getElementById("hour").textContent));

function take(state) {
  if (!number.take(state)) return;
  line.add(number.value);
  if (part("own-value")) part("own-value").textContent = inWords(number.value);
  part("untouched").hidden = true;
  part("touched").hidden = false;
}

counter.on("state", take);
counter.on("ack", take);
counter.on("users", ({ count }) => {
  part("users").hidden = false;
  part("users").textContent = `${count} online`;
});

// Clicks.

let patience = 0;

function showPending() {
  const { length } = counter.pending;
  const words = counted(length, "click");
  part("pending").hidden = length === 0;
  part("pending").textContent = counter.status.state === "connected" ? `${words} on the way` : `${words} waiting`;
  if (part("keys")) part("keys").hidden = length > 0;
}

function pendingChanged() {
  clearTimeout(patience);
  const soon = counter.pending.length && counter.status.state === "connected" && part("pending").hidden;
  if (soon) patience = setTimeout(showPending, PATIENCE_MS);
  else showPending();
}

function click(button) {
  button.dataset.pressed = "";
  setTimeout(() => delete button.dataset.pressed, PRESSED_MS);
  counter.send({ action: button.dataset.click });
}

if (part("click")) {
  tellRefused(counter, "Not counted");
  counter.onPending(pendingChanged);
  counter.onStatus(pendingChanged);
  for (const button of document.querySelectorAll("[data-click]")) button.addEventListener("click", () => click(button));
  document.addEventListener("keydown", (event) => {
    const action = KEYS[event.key];
    if (!action || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.target.closest(WRITING)) return;
    event.preventDefault();
    click(document.querySelector(`[data-click="${action}"]`));
  });
}
ready();
