/** The form that publishes. What was written stays in it until the server has it. */

import { HELP } from "./priorities.js";

const format = new Intl.NumberFormat();

/** Wire up `form`; `publish(notification)` resolves with `published`. */
export function publishing(form, publish) {
  const { topic, message, title, tags } = form.elements;
  const button = form.querySelector(".button");
  const wrong = form.querySelector("[data-publish-error]");
  const state = form.querySelector("[data-publish-state]");
  const maxText = Number(form.dataset.maxText);
  const chosen = () => Number(form.elements.priority.value);
  const help = () => (form.querySelector("[data-priority-help]").textContent = HELP[chosen()]);

  const excess = () => (maxText ? Array.from(message.value).length - maxText : 0);
  const check = () => {
    wrong.textContent = excess() > 0 ? `${format.format(excess())} characters too many: at most ${format.format(maxText)} go in one message.` : "";
  };

  form.addEventListener("change", help);
  message.addEventListener("input", check);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    check();
    if (excess() > 0 || button.disabled) return;
    button.disabled = true;
    state.textContent = "Publishing…";
    try {
      state.textContent = told(
        await publish({
          topic: topic.value.trim(),
          message: message.value,
          title: title.value.trim(),
          priority: chosen(),
          tags: tags.value.split(",").map((tag) => tag.trim()).filter(Boolean),
        }),
      );
      for (const field of [message, title, tags]) field.value = "";
    } catch (error) {
      state.textContent = "";
      wrong.textContent = `Not published: ${error.message}`;
    } finally {
      button.disabled = false;
    }
  });
  help();
}

function told({ topic, recipients }) {
  const reached = recipients === 0 ? "Nobody is listening just now; it waits for them" : `${format.format(recipients)} listening ${recipients === 1 ? "window or program" : "windows and programs"} got it`;
  return `Published to ${topic}. ${reached}.`;
}
