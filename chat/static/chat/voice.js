/** A person's mark: a letter in the colour that their name always has. */

import { element } from "../realtime/page/dom.js";

const VOICES = 8; // --voice-0 … --voice-7 in tokens.css

/** The number of a name's colour. */
export function voice(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)) >>> 0;
  return sum % VOICES;
}

/** The disc with a name's first letter. It repeats the name beside it, so it is not read out. */
export function mark(name, size = "") {
  const letter = name.match(/[\p{L}\p{N}]/u)?.[0] ?? "?";
  return element("span", { className: `mark ${size}`, data: { voice: voice(name) }, aria: { hidden: "true" } }, letter.toUpperCase());
}
