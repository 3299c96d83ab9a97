/** When a connection that looks open may be dead without knowing it, or is certain to be lost. */

const TICK = 5000; // ms
const LATE = 5000; // ms a tick may be late before the machine must have slept, or the browser must have stopped this page

/** Until `signal` is aborted, call `woke()` when there is reason to look: the page is shown or comes back from the browser's
    cache, the network is back, or a timer fired late. Call `offline()` when there is no network any more. */
export function watchWaking({ woke, offline }, signal) {
  let last = Date.now();
  const ticking = setInterval(() => {
    const late = Date.now() - last > TICK + LATE;
    last = Date.now();
    if (late) woke();
  }, TICK);
  signal.addEventListener("abort", () => clearInterval(ticking));
  addEventListener("online", woke, { signal });
  addEventListener("offline", offline, { signal });
  addEventListener("pageshow", woke, { signal });
  document.addEventListener("visibilitychange", () => !document.hidden && woke(), { signal });
}
