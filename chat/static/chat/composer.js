/** Where one writes: Enter sends, Shift+Enter starts a new line, the field grows with its text. */

const TYPING_EVERY_MS = 2500; // the server passes on one per 2 s

const format = new Intl.NumberFormat();

/** Wire up `form`. `send(text)` posts, `typing()` tells that somebody writes; `maxText` in characters. */
export function compose(form, { send, typing, maxText }) {
  const field = form.querySelector("[data-text]");
  const tooLong = form.querySelector("[data-too-long]");
  let told = 0;

  const excess = () => (maxText ? Array.from(field.value).length - maxText : 0);
  const check = () => {
    const text = excess() > 0 ? `${format.format(excess())} characters too many: at most ${format.format(maxText)} go in one message.` : "";
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
    told = 0;
    grow();
    field.focus();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  field.addEventListener("input", () => {
    grow();
    check();
    if (!field.value.trim() || Date.now() - told < TYPING_EVERY_MS) return;
    told = Date.now();
    typing();
  });
  grow();
}
