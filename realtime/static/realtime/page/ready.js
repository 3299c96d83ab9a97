/**
 * Buttons with `data-waits` are disabled until the page's script can act on them: before that a form would go to the server,
 * and what was typed with it. The script calls `ready()` when all its listeners are there.
 */
export function ready() {
  for (const button of document.querySelectorAll("button[data-waits]")) button.disabled = false;
}
