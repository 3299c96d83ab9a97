/** Addresses in a text become links; everything else stays the text it is. */

import { element } from "./dom.js";

// Neither quotes nor characters that turn the direction of what follows belong to an address.
const INSIDE = String.raw`[^\s<>"'\u{60}\u200e\u200f\u202a-\u202e\u2066-\u2069]`;
const ADDRESS = new RegExp(String.raw`https?:\/\/${INSIDE}*[^\s\p{P}\p{Cf}<>\u{60}]\/?`, "giu");

/** The text as nodes. Links show their whole address as typed, and tell the other site nothing about this one. */
export function withLinks(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    if (!URL.canParse?.(match[0])) continue;
    nodes.push(text.slice(end, match.index));
    nodes.push(element("a", { href: match[0], target: "_blank", rel: "noopener noreferrer nofollow ugc" }, match[0]));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes;
}
