/** What was written and is not acknowledged: shown under the messages, and where it failed, why, with a way on. */

import { element } from "../realtime/page/dom.js";

const PATIENCE_MS = 400; // most are acknowledged before anybody could read "Sending…"

const WORDS = {
  waiting: "Waiting to be sent",
  sent: "Sending…",
};

/** The list of unsent messages, by id. `retry(id)` and `discard(id)` act on a failed one. */
export function unsentRow({ id, command, state, error }, { retry, discard }) {
  const row = element("li", { className: "unsent", data: { id, state } }, element("p", { className: "message-text", dir: "auto" }, command.text));
  const words = state === "failed" ? `Not sent: ${error.message}` : WORDS[state];
  const place = element("span", { className: "unsent-state" });
  row.append(place);
  if (state === "sent") setTimeout(() => (place.textContent = words), PATIENCE_MS);
  else place.textContent = words;
  if (state === "failed") {
    const buttons = element("span", { className: "row" }, action("Try again", () => retry(id)), action("Discard", () => discard(id)));
    row.append(buttons);
  }
  return row;
}

function action(label, act) {
  const button = element("button", { type: "button", className: "button-plain small" }, label);
  button.addEventListener("click", act);
  return button;
}
