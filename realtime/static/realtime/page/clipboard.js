/** Copying text, also where the browser offers no clipboard (plain http on another machine's address). */

import { toast } from "./toast.js";

const SHOWN_MS = 1600;

/** Put `text` on the clipboard. Returns whether it worked. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "visually-hidden";
  const focused = document.activeElement;
  document.body.append(field);
  field.select();
  const worked = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return worked;
}

/** Copy `text` and say so on `button`; where it fails, a toast says what to do. */
export async function copyFrom(button, text) {
  if (!(await copy(text))) {
    toast("This browser does not let pages copy. Select the text and press Ctrl+C.");
    return;
  }
  button.dataset.label ??= button.textContent;
  button.textContent = "Copied";
  toast("Copied", { spokenOnly: true });
  clearTimeout(button.copiedTimer);
  button.copiedTimer = setTimeout(() => (button.textContent = button.dataset.label), SHOWN_MS);
}

/** Make every button with `data-copy` (the text) or `data-copy-from` (a selector of what holds it) copy. */
export function copyOnClick(root) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
    copyFrom(button, source ? (source.value ?? source.textContent) : button.dataset.copy);
  });
}
