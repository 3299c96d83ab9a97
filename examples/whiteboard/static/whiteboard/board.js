/** The board page: notes are put up, changed, moved by hand or arrow keys, and taken away, in every window at once. */

import { keepItems } from "../realtime/connection/items.js";
import { element } from "../realtime/page/dom.js";
import { ready } from "../realtime/page/ready.js";
import { connectPage, part, tellRefused } from "../realtime/page/stream.js";

const STEPS = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] };
const within = (pixels) => Math.round(Math.min(2000, Math.max(0, pixels)));
const button = (label, sign) => element("button", { type: "button", className: "button button-quiet button-small", aria: { label } }, sign);

const board = connectPage({ stream: true, what: "note" });
tellRefused(board, "Not done");

function show(note) {
  note.sheet ??= draw(note);
  note.sheet.style.translate = `${note.x}px ${note.y}px`;
  note.sheet.firstChild.value = note.text;
}

function draw(note) {
  const text = element("textarea", { maxLength: 200, readOnly: !part("form"), aria: { label: "Note" } });
  const [move, away] = [button("Move", "✥"), button("Take away", "×")];
  const sheet = element("li", { className: "note" }, text, ...(part("form") ? [move, away] : []));
  const put = () => board.send({ action: "put", target: note.position, text: text.value, x: note.x, y: note.y });
  const nudge = (x, y) => show(Object.assign(note, { x: within(note.x + x), y: within(note.y + y) }));
  text.addEventListener("change", put);
  away.addEventListener("click", () => board.send({ action: "delete", seq: note.position }));
  move.addEventListener("keydown", ({ key }) => STEPS[key] && put(nudge(...STEPS[key])));
  move.addEventListener("pointerdown", ({ pointerId }) => move.setPointerCapture(pointerId));
  move.addEventListener("pointermove", ({ movementX, movementY, buttons }) => buttons && nudge(movementX, movementY));
  move.addEventListener("lostpointercapture", put);
  part("board").append(sheet);
  return sheet;
}

keepItems(board, "note", { show, remove: ({ sheet }) => sheet.remove() });

part("form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  board.send({ action: "put", text: part("text").value, x: within(600 * Math.random()), y: within(300 * Math.random()) });
  event.target.reset();
});
ready();
