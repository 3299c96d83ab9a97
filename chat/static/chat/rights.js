/** Whether one may write here: while one may not, the composer rests, and says until when and why. */

import { fullTimeOf } from "../realtime/page/times.js";

/** Show a `rights` event: `form` is the composer, `place` the line above it. */
export function showRights(form, place, event) {
  for (const control of form.querySelectorAll("textarea, button")) control.disabled = !event.write;
  place.textContent = event.write ? "" : sentence(event);
  place.hidden = event.write;
}

/** The server's sentence; an end is told in the time of who reads it. */
function sentence({ message, reason, until }) {
  if (!until) return message;
  return `You are muted in this room until ${fullTimeOf(new Date(until))}.${reason ? ` Reason: ${reason}` : ""}`;
}
