/** Notifications shown by the browser itself, while nobody looks at the page. A button asks for it, never the page. */

import { HEARD, STAYS } from "./priorities.js";

/** `button` asks, `state` says what the browser answered. Returns `show(event)`. */
export function browserNotifications(button, state) {
  const possible = "Notification" in window && window.isSecureContext;
  const update = () => {
    button.hidden = !possible || Notification.permission !== "default";
    state.hidden = !possible || Notification.permission === "default";
    state.textContent = state.hidden || Notification.permission === "denied" ? "This browser was told not to show notifications of this site." : "This browser shows new ones while you look elsewhere; not the low ones.";
  };
  button.addEventListener("click", async () => {
    await Notification.requestPermission();
    update();
  });
  update();
  return (event) => {
    const looking = !document.hidden && document.hasFocus();
    if (looking || !possible || Notification.permission !== "granted" || event.priority < HEARD) return;
    show(event);
  };
}

function show({ topic, seq, title, message, priority, sender }) {
  try {
    // The tag makes several windows of this browser show it once.
    const shown = new Notification(title || topic, { body: title ? `${message}\n${topic} · ${sender}` : `${message}\n${sender}`, tag: `${topic} ${seq}`, requireInteraction: priority === STAYS });
    shown.addEventListener("click", () => {
      window.focus();
      shown.close();
    });
  } catch {
    // Browsers on phones show them only for installed pages.
  }
}
