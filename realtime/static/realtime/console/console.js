/** The console page: a bare WebSocket in the visitor's hands. */

import { explain } from "../connection/closing.js";
import { copyFrom } from "../page/clipboard.js";
import { element } from "../page/dom.js";
import { ready } from "../page/ready.js";
import { isPong, watchLife } from "./alive.js";
import { Frames } from "./frames.js";
import { snippet } from "./snippets.js";

const routes = JSON.parse(document.getElementById("routes").textContent);
const part = (name) => document.querySelector(`[data-${name}]`);
const message = part("message");
const frames = new Frames({ list: part("frames"), scroll: part("scroll"), empty: part("frames-empty"), totals: part("totals") });

let socket = null;
let listening = null; // aborted when we lose interest in the socket
let opened = false;
let paused = false;

const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`).value;
const problem = (name, text) => {
  const place = part(`${name}-error`);
  place.textContent = text;
  place.hidden = !text;
  part(name).setAttribute("aria-invalid", String(Boolean(text)));
};

/** The typed route as a whole address of this site; throws with a reason in words. */
function address() {
  const typed = part("route").value.trim();
  const url = new URL(/^[\w.-]+\//.test(typed) && !typed.includes("://") ? `/${typed}` : typed, location.href);
  if (url.host !== location.host) throw new Error(`This console connects to ${location.host} only.`);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  return url.href;
}

function state(text, tone = "") {
  part("state").textContent = text;
  part("state").dataset.tone = tone;
  part("toggle").textContent = socket ? "Disconnect" : "Connect";
  part("send").disabled = !opened;
}

function connect() {
  let target;
  try {
    target = address();
  } catch (error) {
    problem("route", error instanceof TypeError ? "That is no address." : error.message);
    part("route").focus();
    return;
  }
  problem("route", "");
  socket = new WebSocket(target);
  socket.binaryType = "arraybuffer";
  listening = new AbortController();
  const { signal } = listening;
  socket.addEventListener("open", isOpen, { signal });
  socket.addEventListener("message", ({ data }) => isPong(data) || frames.add("in", data), { signal });
  socket.addEventListener("close", isClosed, { signal });
  frames.add("note", `Connecting to ${target}`);
  state("Connecting…", "wait");
}

function isOpen() {
  opened = true;
  frames.add("note", "Open", "good");
  state("Connected", "good");
  watchLife(socket, { asks: answersPings(socket.url), dead: isDead, signal: listening.signal });
  const token = part("token").value.trim();
  if (!token) return;
  socket.send(JSON.stringify({ token }));
  frames.add("out", JSON.stringify({ token: `${token.slice(0, 10)}…` }));
}

/** Whether an address is of a route that answers pings: a plain one would pass them on to others. */
function answersPings(address) {
  const first = (path) => path.replace(/(\/ws\/[^/]*).*/, "$1");
  return routes.some(({ path, answers_pings: answers }) => answers && first(path) === first(new URL(address).pathname));
}

/** The other side will tell nobody that this socket has ended. */
function isDead(reason) {
  socket.close();
  isClosed({ code: 1006, reason });
}

function isClosed({ code, reason }) {
  listening.abort();
  const why = opened || code !== 1006 ? explain(code) : "the server is away, or refused: no such route, or not from this page";
  frames.add("note", `Closed with ${code}: ${why}.${reason ? ` Reason: ${reason}` : ""}`, code === 1000 ? "" : "bad");
  socket = null;
  opened = false;
  state(`Closed: ${code}`, code === 1000 || code === 1005 ? "" : "bad");
}

/** Text to send, checked where JSON is meant; null where it is not JSON. */
function checkedText() {
  problem("message", "");
  if (chosen("mode") !== "json") return message.value;
  try {
    JSON.parse(message.value);
    return message.value;
  } catch (error) {
    problem("message", `Not JSON: ${error.message}`);
    return null;
  }
}

async function send() {
  if (!opened) return;
  if (chosen("mode") === "file") {
    const [file] = part("file").files;
    if (!file) return part("file").focus();
    const content = await file.arrayBuffer();
    socket?.send(content);
    frames.add("out", content);
    return;
  }
  const text = checkedText();
  if (text === null) return message.focus();
  socket.send(text);
  frames.add("out", text);
}

function showMode() {
  const mode = chosen("mode");
  part("text-field").hidden = mode === "file";
  part("file-field").hidden = mode !== "file";
  part("format").hidden = mode !== "json";
  problem("message", "");
}

function choose(name, value) {
  document.querySelector(`input[name="${name}"][value="${value}"]`).checked = true;
}

function fillIn(text) {
  message.value = text;
  choose("mode", text.startsWith("{") ? "json" : "text");
  update();
  message.focus();
}

function update() {
  showMode();
  const typed = part("route").value.trim().split("?")[0];
  const route = routes.find(({ path }) => path.replace(/\/$/, "") === typed.replace(/\/$/, ""));
  part("preset").value = route?.path ?? "";
  part("route-help").textContent = route?.summary ?? "A path of this site; parameters go after a question mark.";
  part("examples").replaceChildren(...(route?.examples ?? []).map(exampleButton));
  part("examples-row").hidden = !route?.examples.length;
  const file = chosen("mode") === "file" ? (part("file").files[0]?.name ?? "picture.png") : "";
  part("snippet").textContent = safely(() =>
    snippet(chosen("language"), { address: address(), text: message.value, file, login: Boolean(part("token").value) }),
  );
}

function safely(make) {
  try {
    return make();
  } catch {
    return "";
  }
}

function exampleButton(example) {
  const button = element("button", { type: "button", className: "button button-quiet button-small example" }, example || "(empty)");
  button.addEventListener("click", () => fillIn(example));
  return button;
}

function link() {
  const url = new URL(location.pathname, location.href);
  url.searchParams.set("route", part("route").value.trim());
  if (message.value) url.searchParams.set("send", message.value);
  return url.href;
}

function tidy() {
  const text = checkedText();
  if (text !== null) message.value = JSON.stringify(JSON.parse(text), null, 2);
  update();
}

part("connect").addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket) socket.close(1000);
  else connect();
});
part("compose").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
message.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
});
part("preset").addEventListener("input", ({ target }) => {
  if (target.value) part("route").value = target.value; // before update(), which hears the same event further out
});
part("pause").addEventListener("click", ({ target }) => {
  paused = !paused;
  target.textContent = paused ? "Go on" : "Pause";
  frames.pause(paused);
});
part("clear").addEventListener("click", () => frames.clear());
part("share").addEventListener("click", ({ target }) => copyFrom(target, link()));
part("format").addEventListener("click", tidy);
part("console").addEventListener("input", update);

choose("mode", message.value.startsWith("{") ? "json" : "text");
update();
ready();
