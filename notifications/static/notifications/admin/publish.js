/** Admin's form for a notification: how it will look, and how many would get it at once. */

const EVERY_MS = 5000;

const section = document.querySelector("[data-publish]");
const part = (name) => section.querySelector(`[data-${name}]`);
const field = (name) => document.getElementById(`id_${name}`);
const choice = (select) => select.selectedOptions[0]?.textContent ?? "";

function preview() {
  const tags = field("tags").value.split(",").map((tag) => tag.trim()).filter(Boolean);
  const topic = field("stream").value ? choice(field("stream")) : "";
  part("preview").dataset.priority = field("priority").value;
  part("preview-title").textContent = field("title").value;
  part("preview-message").textContent = field("message").value || "What you write appears here.";
  part("preview-facts").textContent = [topic, choice(field("priority")), ...tags].filter(Boolean).join(" · ");
}

async function count() {
  if (document.hidden) return;
  const text = field("stream").value ? await listening(field("stream").value) : "Choose a topic to see who is listening.";
  if (part("listening").textContent !== text) part("listening").textContent = text;
}

async function listening(topic) {
  try {
    const address = section.dataset.listeningUrl.replace(/0\/$/, `${topic}/`);
    const answer = await fetch(address, { signal: AbortSignal.timeout(EVERY_MS) });
    return inWords((await answer.json()).listening);
  } catch {
    return inWords(null);
  }
}

function inWords(listeners) {
  if (listeners === null) return "How many are listening is not known just now.";
  if (listeners === 0) return "Nobody is listening now; who follows the topic finds it later.";
  return listeners === 1 ? "1 is listening now." : `${listeners} are listening now.`;
}

for (const name of ["stream", "title", "message", "priority", "tags"]) field(name).addEventListener("input", preview);
field("stream").addEventListener("change", count);
preview();
count();
setInterval(count, EVERY_MS);
