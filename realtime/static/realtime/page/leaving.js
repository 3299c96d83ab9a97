/** Let the browser ask before the page is left while `wouldLose()` is true. */
export function askBeforeLeaving(wouldLose) {
  addEventListener("beforeunload", (event) => {
    if (wouldLose()) event.preventDefault();
  });
}
