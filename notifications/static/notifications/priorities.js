/** Priorities in words and shapes: told apart without colour too. */

const SVG = "http://www.w3.org/2000/svg";

export const STAYS = 5; // until it is dismissed
export const HEARD = 3; // below it nothing is announced

export const WORDS = { 1: "Lowest", 2: "Low", 3: "Normal", 4: "High", 5: "Urgent" };

export const HELP = {
  1: "Comes silently.",
  2: "Comes silently.",
  3: "",
  4: "",
  5: "Stays on top until it is dismissed.",
};

const SHAPES = {
  1: "M8 12h8", // a dash
  2: "M7 10l5 5 5-5", // down
  3: "M12 8a4 4 0 1 0 .01 0z", // a dot
  4: "M12 5.5l7.5 13h-15zM12 10v4M12 16.2v.1", // a triangle
  5: "M8.5 4h7L20 8.5v7L15.5 20h-7L4 15.5v-7zM12 8v5M12 16v.1", // a stop sign
};

/** The mark of a priority; its word stands elsewhere, so it is not read out. */
export function mark(priority) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "note-mark");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", SHAPES[priority]);
  svg.append(path);
  return svg;
}
