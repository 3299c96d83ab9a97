/** Addresses in a text become links; everything else stays the text it is. */

import { element } from "../realtime/dom.js";

const ADDRESS = /https?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}]/gi;

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
