/** A name that opens the card of whom it names. */

import { element } from "../realtime/page/dom.js";

/** The button for the person with this `sender_id`; without one, old and unknown, the bare name. */
export function nameOf(id, name, className = "") {
  const text = element("bdi", {}, name);
  if (!id) return element("span", { className, title: name }, text);
  const data = { cardOf: id, name };
  return element("button", { type: "button", className: `name ${className}`, title: name, data, aria: { haspopup: "dialog" } }, text);
}

/** Change what holds names by `change`, and leave the focus on the name that has it. */
export function keepingFocus(place, change) {
  const { activeElement } = document;
  const id = place.contains(activeElement) && activeElement.dataset.cardOf;
  change();
  if (id) buttonOf(id, place)?.focus({ preventScroll: true });
}

/** The first name inside `place` that opens this card. */
export const buttonOf = (id, place = document) => place.querySelector(`[data-card-of="${CSS.escape(id)}"]`);
