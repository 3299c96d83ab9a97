/** One notification as an element. */

import { element } from "../realtime/page/dom.js";
import { withLinks } from "../realtime/page/links.js";
import { fullTimeOf, said } from "../realtime/page/times.js";
import { STAYS, WORDS, mark } from "./priorities.js";

/** The list item of a `notification` event. `open(topic)` shows one topic, `dismiss(event)` is for what stays. */
export function note(event, { open, dismiss }) {
  const { topic, seq, message = "", title, priority = 3, tags, sender, timestamp, deleted } = event;
  const row = element("li", { className: "note", data: { topic, seq: seq ?? "", priority } }, mark(priority));
  const body = element("div", { className: "note-body" });
  if (title) body.append(element("h3", { className: "note-title", dir: "auto" }, title));
  body.append(element("p", { className: "note-text", dir: "auto" }, ...withLinks(message)));

  const topicButton = element("button", { type: "button", className: "button-plain note-topic", aria: { label: `Show only ${topic}` } }, topic);
  topicButton.addEventListener("click", () => open(topic));
  const facts = element("p", { className: "note-facts soft small" }, topicButton);
  if (priority !== 3 && !deleted) facts.append(element("b", { className: "note-level" }, WORDS[priority]));
  facts.append(
    element("bdi", {}, sender),
    said("moment", timestamp, { title: fullTimeOf(new Date(timestamp)) }),
  );
  for (const tag of tags ?? []) facts.append(element("bdi", { className: "note-tag" }, tag));
  body.append(facts);
  row.append(body);

  if (priority === STAYS && !deleted) {
    const button = element("button", { type: "button", className: "button button-quiet button-small note-dismiss", aria: { label: `Dismiss: ${title || message.slice(0, 60)}` } }, "Dismiss");
    button.addEventListener("click", () => dismiss(event));
    row.append(button);
  }
  if (deleted) bury(row);
  return row;
}

/** Take the text away, and say by whom where that is known. */
export function bury(row, by) {
  row.dataset.deleted = "";
  row.querySelector(".note-title")?.remove();
  row.querySelector(".note-dismiss")?.remove();
  for (const part of row.querySelectorAll(".note-tag, .note-level")) part.remove();
  row.querySelector(".note-text").textContent = by ? `Deleted by ${by}` : "Deleted";
}
