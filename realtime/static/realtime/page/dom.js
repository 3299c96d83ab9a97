/** Making elements. Text is always text: nothing here reads markup. */

/** `element("p", { className: "soft", dir: "auto", data: { seq: 5 } }, "text", child)`. */
export function element(tag, { data = {}, aria = {}, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(data)) made.dataset[name] = value;
  for (const [name, value] of Object.entries(aria)) made.setAttribute(`aria-${name}`, value);
  made.append(...children);
  return made;
}
