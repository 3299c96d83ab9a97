/** The form that publishes. What was written stays in it until the server has it. */

import { counted, tooMany } from "../realtime/page/numbers.js";
import { HELP } from "./priorities.js";

/** Wire up `form`; `publish(notification)` resolves with `published`. Returns whether it holds a message, as a function. */
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
    wrong.textContent = tooMany(excess(), maxText);
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
  return () => message.value.trim() !== "";
}

function told({ topic, recipients }) {
  const reached = recipients === 0 ? "Nobody is listening just now; it waits for them" : `${counted(recipients, "listening window or program", "listening windows and programs")} got it`;
  return `Published to ${topic}. ${reached}.`;
}
