/** Where one writes: the field grows with its text, which is kept until it is sent. With a keyboard Enter sends and Shift+Enter
    starts a new line; on a touch screen Enter starts a new line, and the button sends. */

import { element } from "../realtime/page/dom.js";
import { tooMany } from "../realtime/page/numbers.js";

const TYPING_EVERY_MS = 2500; // the server passes on one per 2 s

const touch = matchMedia("(hover: none), (pointer: coarse)");

/** Wire up `form`. `send(text)` posts, `typing()` tells that somebody writes; `maxText` in characters; `draft` keeps the text. */
export function compose(form, { send, typing, maxText, draft }) {
  const field = form.querySelector("[data-text]");
  const tooLong = form.querySelector("[data-too-long]");
  let told = 0;

  const excess = () => (maxText ? Array.from(field.value).length - maxText : 0);
  const check = () => {
    const text = tooMany(excess(), maxText);
    if (tooLong.textContent !== text) tooLong.textContent = text;
  };
  const grow = () => {
    field.style.blockSize = "auto";
    field.style.blockSize = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!field.value.trim() || excess() > 0) return;
    send(field.value);
    field.value = "";
    draft.save("");
    told = 0;
    grow();
    field.focus();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    if (touch.matches && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    form.requestSubmit();
  });
  field.addEventListener("input", () => {
    grow();
    check();
    draft.save(field.value);
    if (!field.value.trim() || Date.now() - told < TYPING_EVERY_MS) return;
    told = Date.now();
    typing();
  });

  const kept = draft.load();
  // Somebody may have begun to write before this script came.
  if (kept !== field.value) field.value = [kept, field.value].filter(Boolean).join("\n");
  draft.save(field.value);
  grow();
  check();
  tellKeys(form);
  touch.addEventListener("change", () => tellKeys(form));
}

/** What Enter does, in words and on the keyboard of a phone. */
function tellKeys(form) {
  const key = (name) => element("kbd", {}, name);
  const words = touch.matches ? ["The button sends, ", key("Enter"), " starts a new line"] : [key("Enter"), " sends, ", key("Shift"), " ", key("Enter"), " starts a new line"];
  form.querySelector("[data-keys]").replaceChildren(...words);
  form.querySelector("[data-text]").enterKeyHint = touch.matches ? "enter" : "send";
}
