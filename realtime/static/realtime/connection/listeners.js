/** Who wants to hear of something: of events by their type, or of a value that changes. */

export class Listeners {
  #byType = new Map();

  /** Call `listener(event)` for each event of this `type`. Returns a function that stops it. */
  on(type, listener) {
    if (!this.#byType.has(type)) this.#byType.set(type, new Set());
    this.#byType.get(type).add(listener);
    return () => this.#byType.get(type).delete(listener);
  }

  emit(event) {
    for (const listener of this.#byType.get(event.type) ?? []) listener(event);
  }
}

export class Watched {
  #watchers = new Set();
  value;

  constructor(value) {
    this.value = value;
  }

  /** Call `watcher(value)` now and at each change. Returns a function that stops it. */
  watch(watcher) {
    this.#watchers.add(watcher);
    watcher(this.value);
    return () => this.#watchers.delete(watcher);
  }

  set(value) {
    this.value = value;
    for (const watcher of this.#watchers) watcher(this.value); // which may be newer: a watcher may set it too
  }
}
