/** What was begun and not sent, kept in this browser: for each room and person one text. */

const PREFIX = "chorus draft ";
const KEPT = 20; // drafts; older ones go
const LONGEST = 20_000; // characters of one
const DAYS = 30;

export class Draft {
  #key;
  /** Whether the browser keeps what was saved last; where storage is full or forbidden, it does not. */
  isKept = true;

  /** `name` tells room and person apart from others. */
  constructor(name) {
    this.#key = PREFIX + name;
    try {
      prune(this.#key);
    } catch {
      // Storage is forbidden: the text stays in the field.
    }
  }

  load() {
    try {
      return read(this.#key)?.text ?? "";
    } catch {
      return "";
    }
  }

  save(text) {
    try {
      if (text.trim()) localStorage.setItem(this.#key, JSON.stringify({ text: text.slice(0, LONGEST), at: Date.now() }));
      else localStorage.removeItem(this.#key);
      this.isKept = text.length <= LONGEST;
    } catch {
      this.isKept = !text.trim();
    }
  }
}

/** What is stored under `key`; null for what is none of ours. */
function read(key) {
  try {
    const { text, at } = JSON.parse(localStorage.getItem(key));
    return typeof text === "string" && typeof at === "number" ? { text, at } : null;
  } catch (error) {
    if (error instanceof DOMException) throw error; // storage is forbidden
    return null;
  }
}

/** Take away drafts that are old or too many; the one under `own` counts as the newest. */
function prune(own) {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX) && key !== own);
  const drafts = keys.map((key) => ({ key, at: read(key)?.at ?? 0 })).sort((one, other) => other.at - one.at);
  const oldest = Date.now() - DAYS * 24 * 3600 * 1000;
  drafts.forEach(({ key, at }, place) => (at < oldest || place >= KEPT - 1) && localStorage.removeItem(key));
}
