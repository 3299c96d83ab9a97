/** The state of a connection on the page: a badge in words, a countdown that is seen but not read out, *Try now*. */

import { element } from "./dom.js";
import { describe, lost } from "../connection/words.js";

const NEWS_MS = 8000; // how long "Back online …" stays before it says "Connected"
const TONES = { connected: "good", connecting: "wait", waiting: "wait", stopped: "bad" };

/** Fill `place` with the state of `socket` (see socket.js) and keep it true. */
export function showStatus(place, socket) {
  const text = element("span");
  const spoken = element("span", { className: "visually-hidden", role: "status" });
  const badge = element("span", { className: "badge badge-dot" }, text);
  const button = element("button", { type: "button", className: "button button-quiet button-small", hidden: true });
  button.addEventListener("click", () => socket.tryNow());
  place.classList.add("row");
  place.replaceChildren(badge, button, spoken);

  let timer = 0;
  const show = (status) => {
    text.textContent = describe(status);
    badge.dataset.tone = status.state === "connected" && status.whole === false ? "wait" : TONES[status.state];
  };
  socket.onStatus((status) => {
    clearInterval(timer);
    show(status);
    spoken.textContent = status.state === "waiting" ? `${lost(status)} Trying again.` : status.text;
    button.hidden = status.state !== "waiting" && status.state !== "stopped";
    button.textContent = status.state === "stopped" ? "Connect again" : "Try now";
    if (status.state === "waiting") timer = setInterval(() => show(status), 500);
    if (status.missed !== undefined) timer = setTimeout(() => show({ state: "connected" }), NEWS_MS);
  });
}
