/** What this browser remembers of the page. Where storage is forbidden, only as long as the page is open. */

/** A value under `name` in `area` (localStorage, sessionStorage): `load()`, `save(value)`, `onChange(listener)`. */
export function remembered(area, name, fallback) {
  const key = `chorus notifications ${name}`;
  const store = () => window[area]; // asking for it may already be refused
  return {
    load() {
      try {
        return JSON.parse(store().getItem(key)) ?? fallback;
      } catch {
        return fallback;
      }
    },
    save(value) {
      try {
        store().setItem(key, JSON.stringify(value));
      } catch {
        // Full or forbidden: it lasts until the page is left.
      }
    },
    /** Another window of this browser saved a value. */
    onChange(listener) {
      addEventListener("storage", (event) => event.key === key && listener(this.load()));
    },
  };
}
