/** Live numbers on the home page, asked for every few seconds while somebody looks. */

const EVERY_MS = 3000;

const numbers = document.querySelector("[data-numbers]");
const format = new Intl.NumberFormat();

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(numbers.dataset.numbers, { cache: "no-store", signal: AbortSignal.timeout(EVERY_MS) });
    if (answer.ok) show(await answer.json());
  } catch {
    // The server is away for a moment: the last numbers stay.
  }
}

function show(status) {
  for (const place of numbers.querySelectorAll("[data-number]")) {
    const value = status[place.dataset.number];
    if (typeof value !== "number") continue;
    place.textContent = format.format(value);
    const noun = place.parentElement.querySelector("[data-one]");
    noun.textContent = value === 1 ? noun.dataset.one : noun.dataset.many;
  }
}

refresh();
setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
