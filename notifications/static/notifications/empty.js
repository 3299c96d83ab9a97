/** What the page says where there is nothing to show: what to do, with lines for a terminal. */

/** `place` holds the words and the lines; `addresses` as the page carries them. Returns a function that shows the state. */
export function emptyState(place, { api, ws, terminal, mayMake, mayPublish }) {
  const [curl, websocket, subscribe] = place.querySelectorAll(".line");
  const words = place.querySelector("[data-empty-words]");
  const lines = place.querySelector("[data-empty-lines]");
  const all = place.querySelector("[data-follow-all]");

  const fill = (line, text) => {
    line.querySelector("code").textContent = text;
    line.querySelector("button").dataset.copy = text;
  };

  return ({ empty, only, followed, offered }) => {
    place.hidden = !empty;
    const target = only || followed.find((name) => name !== "me") || followed[0];
    const nothing = followed.length === 0;
    if (nothing && offered.length) words.textContent = "You follow no topic yet. Tick one, or all:";
    else if (nothing) words.textContent = mayMake ? "You follow no topic yet. Name one under Topics; its first notification may come from you." : "You follow no topic yet, and there is none for you. Who may add topics makes the first one.";
    else words.textContent = `Nothing yet${only ? ` in ${only}` : ""}. ${mayPublish ? "Publish something, or from" : "From"} a terminal:`;
    all.hidden = !nothing || offered.length === 0;
    lines.hidden = nothing;
    fill(curl, `curl -d "Backup done" -H "Authorization: Bearer …" ${api}/notifications/${target}/`);
    fill(websocket, `${terminal} ${ws}`);
    fill(subscribe, JSON.stringify({ action: "subscribe", topics: [target] }));
  };
}
