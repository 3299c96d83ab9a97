/** The notifications page: topics on one side, what they tell on the other. */

import { connectTopics } from "../realtime/connection/topics.js";
import { showStatus } from "../realtime/page/badge.js";
import { askBeforeLeaving } from "../realtime/page/leaving.js";
import { ready } from "../realtime/page/ready.js";
import { toast } from "../realtime/page/toast.js";
import { browserNotifications } from "./browser.js";
import { Feed } from "./feed.js";
import { heartbeat } from "./heartbeat.js";
import { TopicList } from "./list.js";
import { HEARD } from "./priorities.js";
import { publishing } from "./publish.js";
import { Seen } from "./seen.js";
import { remembered } from "./storage.js";
import { emptyState } from "./empty.js";
import { Urgent } from "./urgent.js";

const SYSTEM = "system";
const ME = "me";
const BACK = 30; // notifications of each topic shown at least, where there are so many
const FAR = 300; // and at most, however many are new
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

const part = (name) => document.querySelector(`[data-${name}]`);
const { visitor, chosen, route } = part("page").dataset;
const known = new Map(JSON.parse(document.getElementById("topics").textContent).map((topic) => [topic.name, topic]));
const followed = remembered("localStorage", `topics ${visitor}`, visitor ? [ME] : []);

const topics = connectTopics(route, { entries: ["notification", "retracted"], what: "notification" });
const seen = new Seen(Array.from(known.values()), { guest: !visitor });
const heard = heartbeat(part("heartbeat"));
const show = browserNotifications(part("allow"), part("allow-state"));
const title = document.title;
const cut = new Set(); // topics of which the page does not go back to the first new one
const urgent = new Urgent(visitor);
const stays = (event) => urgent.stays(event, seen.isUnread(event));
const isNew = (event) => seen.isUnread(event) || stays(event);
const feed = new Feed({ pinned: part("pinned"), list: part("notes"), open, dismiss, isUnread: isNew, stays });
const list = new TopicList(part("topics"), part("no-topics"), { follow, leave, open });
const showEmpty = emptyState(part("empty"), part("page").dataset);
let only = "";

// Following.

const news = () => topics.names.filter((name) => name !== SYSTEM);

/** Where to begin, so that all that is new to the reader is shown, and a little of what is not. */
function startOf(name) {
  const topic = known.get(name);
  if (!topic || !topic.seq) return { seq: 0 };
  const shown = Math.min(seen.of(name) || topic.seq, topic.seq - BACK, urgent.oldest(name) - 1);
  const seq = Math.max(topic.seq - FAR, shown, 0);
  if (visitor && seq > seen.of(name)) cut.add(name);
  return { seq, epoch: topic.epoch };
}

function follow(name) {
  list.add(known.get(name) ?? { name });
  list.tick(name, true);
  topics.subscribe({ [name]: startOf(name) });
  followed.save(news());
  update();
}

function leave(name) {
  topics.unsubscribe(name);
  followed.save(news());
}

/** Show one topic, following it if need be; without a name all. */
function open(name = "") {
  if (name && !topics.names.includes(name)) follow(name);
  only = name;
  history.replaceState(null, "", name ? `?topic=${encodeURIComponent(name)}` : location.pathname);
  feed.only(name);
  list.choose(name);
  if (name && part("publish") && name !== SYSTEM) part("publish").elements.topic.value = name;
  update();
}

part("everything").addEventListener("click", () => open());
part("follow-all").addEventListener("click", () => Array.from(known.keys()).forEach(follow));
part("subscribe").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = event.target.elements.name;
  const name = field.value.trim().toLowerCase().replace(/\s+/g, "-");
  const wrong = NAME.test(name) ? "" : field.dataset.rule;
  part("subscribe-error").textContent = wrong;
  field.setAttribute("aria-invalid", String(Boolean(wrong)));
  if (wrong) return;
  field.value = "";
  follow(name);
});

topics.on("begin", (event) => {
  if (!event.resumed) feed.clear(event.topic);
  seen.begin(event);
  update();
});
topics.on("ended", ({ topic }) => {
  feed.clear(topic);
  list.tick(topic, false);
  if (only === topic) open();
  else update();
});
topics.on("refused", ({ topic, message }) => {
  list.tick(topic, false);
  followed.save(news());
  part("subscribe-error").textContent = `${topic}: ${message}`;
  if (only === topic) open();
});

// What comes.

topics.on("notification", (event) => {
  if (event.topic === SYSTEM && event.seq === undefined) return heard();
  const fresh = !event.replayed;
  feed.add(event, { fresh });
  if (fresh && !event.ours && event.priority >= HEARD) {
    part("spoken").textContent = `${event.topic}: ${event.title ? `${event.title}. ` : ""}${event.message}`;
    show(event);
  }
  update();
});
topics.on("retracted", (event) => {
  feed.retract(event);
  update();
});
topics.on("error", ({ id, message }) => id == null && toast(message));
showStatus(part("status"), topics);

// What was seen.

topics.on("acked", ({ topic, seq }) => {
  if (!seen.move(topic, seq)) return;
  cut.delete(topic);
  changed();
});

function acknowledge(topic) {
  const seq = Math.max(...feed.events(topic).map((event) => event.seq ?? 0));
  if (visitor) {
    topics.acknowledge(topic, seq).catch((error) => toast(`Not acknowledged: ${error.message}`));
    if (topics.status.state !== "connected") toast("Acknowledged as soon as the connection is back.");
  } else if (seen.move(topic, seq)) {
    changed();
  }
}

part("acknowledge").addEventListener("click", () => {
  const topics = new Set(feed.events(only).filter(isAcknowledgeable).map(({ topic }) => topic));
  topics.forEach(acknowledge);
  part("feed-title").focus();
});

/** What is on top is acknowledged by itself, by being dismissed. */
const isAcknowledgeable = (event) => seen.isUnread(event) && !stays(event);

/** Take an urgent one from the top. Where nothing else of its topic is new, it is acknowledged at once. */
function dismiss(event) {
  urgent.dismiss(event);
  if (!feed.events(event.topic).some((other) => seen.isUnread(other) && !urgent.wasDismissed(other))) acknowledge(event.topic);
  changed();
}

function changed() {
  feed.update();
  update();
}
urgent.onChange(changed);

/** How many are new, by topic. */
function unread() {
  const counts = new Map(topics.names.map((name) => [name, 0]));
  for (const event of feed.events()) if (isNew(event)) counts.set(event.topic, (counts.get(event.topic) ?? 0) + 1);
  return counts;
}

let updating = 0;

/** Bring counts, headings and the empty state up to date, once for all that comes together. */
function update() {
  updating ||= setTimeout(() => {
    updating = 0;
    const counts = unread();
    for (const name of list.names) list.count(name, counts.get(name) ?? 0, cut.has(name));
    const all = Array.from(counts.values()).reduce((sum, count) => sum + count, 0);
    const shown = feed.events(only);
    const urgents = shown.some(stays) ? " except urgent" : "";
    document.title = all ? `(${all}) ${title}` : title;
    part("feed-title").textContent = only ? known.get(only)?.title || only : "Everything";
    part("everything").hidden = !only;
    part("acknowledge").hidden = !shown.some(isAcknowledgeable);
    part("acknowledge").textContent = `Acknowledge ${only || "all"}${urgents}`;
    showEmpty({ empty: feed.isEmpty && topics.status.state === "connected", only, followed: news(), offered: Array.from(known.keys()) });
  }, 0);
}

topics.onStatus(update);
for (const topic of known.values()) list.add(topic);
for (const name of followed.load()) follow(name);
topics.subscribe({ [SYSTEM]: undefined });
if (chosen) open(chosen);
const isWritten = part("publish") ? publishing(part("publish"), (notification) => topics.publish(notification)) : () => false;
const ACTS = ["publish", "ack"];
askBeforeLeaving(() => isWritten() || topics.pending.some(({ command }) => ACTS.includes(command.action)));

for (const link of document.querySelectorAll(".told-parts a")) {
  link.addEventListener("click", () => document.querySelector(link.hash).closest("details")?.setAttribute("open", ""));
}

// Where there is room, all is open; on a phone what came is nearest.
const roomy = matchMedia("(min-width: 60rem)").matches;
part("topics-details").open = roomy || news().length === 0;
if (part("publish-details")) part("publish-details").open = roomy;
ready();
