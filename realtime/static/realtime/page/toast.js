/** A line at the foot of the page that goes by itself and is read aloud. */

const SHOWN_MS = 4000;

/** Show `text`; with `spokenOnly` only a screen reader gets it. */
export function toast(text, { spokenOnly = false } = {}) {
  const line = document.createElement("p");
  line.className = spokenOnly ? "visually-hidden" : "toast";
  line.textContent = text;
  document.querySelector("[data-toasts]").append(line);
  setTimeout(() => line.remove(), SHOWN_MS);
}
