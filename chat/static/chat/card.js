/** The card of somebody in a room: who they are and, as one's rights allow, what is done to them. Names open it. */

import { element } from "../realtime/page/dom.js";
import { fullTimeOf, momentInWords } from "../realtime/page/times.js";
import { counted } from "../realtime/page/numbers.js";
import { ask } from "./asking.js";
import { buttonOf } from "./name.js";
import { mark } from "./voice.js";

const GUEST = /^Guest-\d+$/i; // no user is called so
const DONE = { mute: "Muted", ban: "Banned" };

export class Card {
  #dialog;
  #people; // the address of everybody's, for who keeps order here
  #isYou;
  #nameNow;
  #busy = false;
  #opener;
  #id = "";
  #name = "";

  /** `isYou(id)`; `nameNow(id)` is what somebody who is here is called, or undefined. */
  constructor(dialog, { isYou, nameNow }) {
    this.#dialog = dialog;
    this.#people = dialog.dataset.people;
    this.#isYou = isYou;
    this.#nameNow = nameNow;
    document.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-card-of]");
      if (button) this.#open(button);
    });
    dialog.addEventListener("close", () => this.#closed());
    this.#part("acts")?.addEventListener("submit", (event) => this.#act(event));
    for (const form of this.#posts) form.addEventListener("submit", (event) => this.#post(event));
  }

  /** Open the card of whom a name is of. */
  #open(opener) {
    const { cardOf: id, name } = opener.dataset;
    this.#opener = opener;
    this.#id = id;
    this.#name = this.#nameNow(id) ?? name;
    this.#say("");
    for (const form of this.#dialog.querySelectorAll("form[data-card-acts], form[data-card-post]")) form.reset();
    this.#show({});
    this.#dialog.showModal();
    if (this.#people) this.#refresh();
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-card-${name}]`);
  }

  get #posts() {
    return this.#dialog.querySelectorAll("[data-card-post]");
  }

  get #address() {
    return `${this.#people}${encodeURIComponent(this.#id)}/`;
  }

  /** Show what the page knows, and of `card` what the server says. */
  #show(card) {
    const { name = this.#name, imposed, spared } = card;
    const isGuest = card.guest ?? GUEST.test(name);
    this.#name = name;
    this.#part("mark").replaceChildren(mark(name));
    this.#part("name").textContent = name;
    this.#part("who").textContent = this.#who(card, isGuest);
    for (const form of this.#posts) form.hidden = isGuest;
    if (!this.#people) return;
    this.#part("imposed").replaceChildren(...(imposed ?? []).map((each) => this.#imposed(each, spared)));
    this.#part("imposed").hidden = !imposed?.length;
    this.#part("spared").textContent = spared ?? "";
    this.#part("spared").hidden = !spared;
    this.#part("acts").hidden = !imposed || Boolean(spared);
    this.#part("guest").hidden = !isGuest;
  }

  #who({ connections, here_since, member_since }, isGuest) {
    const here = connections === undefined ? this.#nameNow(this.#id) !== undefined : connections > 0;
    const kind = isGuest ? "guest" : "member";
    const known = [this.#isYou(this.#id) ? `You, a ${kind}` : `A ${kind}`, member_since && `since ${fullTimeOf(new Date(member_since))}`];
    const seen = here_since ? `Here since ${momentInWords(new Date(here_since))}, ${counted(connections, "connection")}` : here ? "Here now" : "Not here now";
    return `${known.filter(Boolean).join(" ")}. ${seen}.`;
  }

  #imposed({ kind, until, by, reason }, spared) {
    const words = [`${DONE[kind]} ${until ? `until ${fullTimeOf(new Date(until))}` : "for good"}${by ? ` by ${by}` : ""}.`, reason && `Reason: ${reason}`];
    const row = element("li", { className: "row", data: { kind } }, element("bdi", {}, words.filter(Boolean).join(" ")));
    if (spared) return row;
    const button = element("button", { type: "button", className: "button button-quiet button-small", aria: { label: `Lift: ${DONE[kind].toLowerCase()}` } }, "Lift");
    button.addEventListener("click", () => this.#do(() => ask(`${this.#address}${kind}/`, "DELETE", null, this.#part("acts")), () => "Lifted."));
    row.append(button);
    return row;
  }

  #act(event) {
    event.preventDefault();
    const act = event.submitter.value;
    const form = event.currentTarget;
    const { seconds, reason } = Object.fromEntries(new FormData(form));
    const body = act === "disconnect" ? {} : { reason, ...(seconds && { seconds: Number(seconds) }) };
    this.#do(
      () => ask(`${this.#address}${act}/`, "POST", body, form),
      (answer) => (act === "disconnect" ? `Disconnected: ${counted(answer.connections, "connection")}.` : `${DONE[act]}.`),
    );
  }

  #post(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const { csrfmiddlewaretoken: _, ...body } = Object.fromEntries(new FormData(form));
    this.#do(
      () => ask(`${form.dataset.cardPost}${encodeURIComponent(this.#id)}/`, "POST", body, form),
      () => {
        form.reset();
        return `${form.dataset.done}.`;
      },
    );
  }

  /** Do something, and say what came of it. Pressed twice it is done once. */
  async #do(work, said) {
    if (this.#busy) return;
    this.#busy = true;
    const id = this.#id;
    try {
      const words = said(await work());
      if (id === this.#id) this.#say(words);
    } catch (error) {
      if (id === this.#id) this.#say("", error.message);
    } finally {
      this.#busy = false;
    }
    if (this.#people && id === this.#id) await this.#refresh();
  }

  async #refresh() {
    const id = this.#id;
    try {
      const card = await ask(this.#address, "GET");
      if (id !== this.#id) return;
      this.#show(card);
      if (!this.#dialog.contains(document.activeElement)) this.#dialog.querySelector("button").focus(); // what had it is gone
    } catch (error) {
      if (id === this.#id) this.#say(this.#part("done").textContent, error.message);
    }
  }

  #say(done, error = "") {
    this.#part("done").textContent = done;
    this.#part("error").textContent = error;
  }

  /** The focus goes back to the name, which may have been drawn anew. */
  #closed() {
    const name = this.#opener.isConnected ? this.#opener : buttonOf(this.#id);
    name?.focus({ preventScroll: true });
    this.#id = "";
  }
}
