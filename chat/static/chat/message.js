/** One message as an element: its text, whose it is for who cannot see the heading, and a way to delete it. */

import { element } from "../realtime/page/dom.js";
import { withLinks } from "../realtime/page/links.js";
import { fullTimeOf, timeOf } from "../realtime/page/times.js";

/** The row of a `chat` event, sent at `sent`. Where there is `askDelete(seq, button)`, a button asks it. */
export function messageRow({ seq, sender, message = "" }, sent, { day, askDelete }) {
  const who = element("span", { className: "message-who visually-hidden" }, element("bdi", {}, sender), `, ${timeOf(sent)}: `);
  const text = element("p", { className: "message-text", dir: "auto", title: fullTimeOf(sent) }, ...withLinks(message));
  const row = element("div", { className: "message", data: { seq, day } }, who, text);
  if (askDelete) {
    const button = element("button", { type: "button", className: "message-delete", aria: { label: `Delete message: ${message.slice(0, 60)}` } }, "Delete");
    button.addEventListener("click", () => askDelete(seq, button));
    row.append(button);
  }
  return row;
}

/** Take the text away, and say by whom where that is known. */
export function bury(row, by) {
  row.dataset.deleted = "";
  row.querySelector(".message-text").textContent = by ? `Deleted by ${by}` : "Deleted";
  row.querySelector(".message-delete")?.remove();
}

/** Without a mouse, a tap on a message shows what can be done to it, and another hides it. */
export function chooseByTap(place) {
  place.addEventListener("click", ({ target }) => {
    const row = target.closest(".message");
    for (const chosen of place.querySelectorAll(".message[data-chosen]")) if (chosen !== row) delete chosen.dataset.chosen;
    if (row && !target.closest("a, button")) row.toggleAttribute("data-chosen");
  });
}
