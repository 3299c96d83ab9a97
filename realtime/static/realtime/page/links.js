/** Addresses in a text become links; everything else stays the text it is. */

import { element } from "./dom.js";

const MOST = 100; // links in one text; further addresses stay text
// Neither quotes nor characters that turn the direction of what follows belong to an address.
const ADDRESS = /https?:\/\/[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;
const CLOSED_BY = { ")": "(", "]": "[", "}": "{" };
const NOT_LAST = /[^\P{P}/#%&@-]|\p{Cf}/u; // punctuation that ends a sentence or a quotation, and no address

/** The text as nodes. Links show their whole address as typed, and tell the other site nothing about this one. */
export function withLinks(text) {
  const nodes = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = trimmed(found);
    if (!URL.canParse?.(address)) continue;
    nodes.push(text.slice(end, index));
    nodes.push(element("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, address));
    end = index + address.length;
    if (nodes.length >= 2 * MOST) break;
  }
  nodes.push(text.slice(end));
  return nodes;
}

/** An address without the punctuation after it; a closing bracket belongs to it if its opening one does. */
function trimmed(found) {
  const count = {};
  for (const character of found) count[character] = (count[character] ?? 0) + 1;
  let end = found.length;
  for (; end > 0; end--) {
    const last = found[end - 1];
    const opening = CLOSED_BY[last];
    if (opening ? count[last] <= (count[opening] ?? 0) : !NOT_LAST.test(last)) break;
    count[last] -= 1;
  }
  return found.slice(0, end);
}
