/** Whether the console's socket still lives. What is asked for that, and the answer, are no frames of the visitor's. */

import { Liveness } from "../connection/liveness.js";
import { watchWaking } from "../connection/waking.js";

const PING = JSON.stringify({ action: "ping", id: "console" });
const PONG = JSON.stringify({ type: "pong", id: "console" }); // to the letter, as the server writes it

/** Whether a frame is the answer to a question of ours. */
export const isPong = (data) => data === PONG;

/** Until `signal` is aborted, call `dead(why)` once there is no network or, where the route can be asked, no answer. */
export function watchLife(socket, { asks, dead, signal }) {
  const liveness = new Liveness({ ask: () => socket.send(PING), dead: () => dead("no answer") });
  watchWaking({ woke: () => asks && liveness.look(), offline: () => dead("no network") }, signal);
  if (!asks) return;
  liveness.begin();
  socket.addEventListener("message", () => liveness.heard(), { signal });
  signal.addEventListener("abort", () => liveness.end());
}
