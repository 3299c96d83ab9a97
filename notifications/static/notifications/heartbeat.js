/** How long ago the server last said that all is well. */

const LATE = 65; // seconds; one comes every 30

/** Keep `place` true. Returns `beat()`, to be called at each heartbeat. */
export function heartbeat(place) {
  let last = null;
  const show = () => {
    if (last === null) return;
    const seconds = Math.round((performance.now() - last) / 1000);
    place.textContent = `Last heartbeat ${seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`} ago`;
    place.toggleAttribute("data-late", seconds > LATE);
  };
  setInterval(show, 1000);
  return () => {
    last = performance.now();
    show();
  };
}
