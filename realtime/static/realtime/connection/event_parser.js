/** An event stream, read as it comes (HTML Living Standard §9.2.6). */

export class EventParser {
  #rest = ""; // the beginning of a line
  #type = "";
  #data = [];
  #id = "";
  #handlers;
  #first = true;

  /** `event({type, data, id})` for each event, `id` being the last that was given; `retry(ms)` where the server says when to
      come back. */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** Read on. `text` may end anywhere. */
  read(text) {
    if (this.#first && text) {
      this.#first = false;
      text = text.replace(/^\ufeff/, "");
    }
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/); // a \r at the end may be half of \r\n
    this.#rest = lines.pop();
    lines.forEach((line) => this.#take(line));
  }

  #take(line) {
    if (line === "") {
      this.#dispatch();
      return;
    }
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line); // a comment has no name
    if (field === "data") this.#data.push(value ?? "");
    else if (field === "event") this.#type = value ?? "";
    else if (field === "id" && !value?.includes("\0")) this.#id = value ?? "";
    else if (field === "retry" && /^\d+$/.test(value)) this.#handlers.retry(Number(value));
  }

  #dispatch() {
    const event = { type: this.#type || "message", data: this.#data.join("\n"), id: this.#id };
    const told = this.#data.length > 0;
    this.#type = "";
    this.#data = [];
    if (told) this.#handlers.event(event);
  }
}
