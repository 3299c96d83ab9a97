/** Unsent commands in this tab's session storage, so that a reload does not lose them. */

const PREFIX = "chorus unsent ";

/** A store under `name`; without a name, or where the browser forbids storage, one that keeps nothing. */
export function store(name) {
  return {
    load() {
      try {
        return (name && JSON.parse(sessionStorage.getItem(PREFIX + name))) || [];
      } catch {
        return [];
      }
    },
    save(entries) {
      if (!name) return;
      try {
        if (entries.length) sessionStorage.setItem(PREFIX + name, JSON.stringify(entries.map(({ command }) => command)));
        else sessionStorage.removeItem(PREFIX + name);
      } catch {
        // Storage full or forbidden: they stay in memory.
      }
    },
  };
}
