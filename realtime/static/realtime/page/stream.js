/** The page of a stream: its socket, at the address that the page says, and the state of it on the page. */

import { connect } from "../connection/socket.js";
import { showStatus } from "./badge.js";
import { askBeforeLeaving } from "./leaving.js";
import { toast } from "./toast.js";

const QUESTIONS = ["history"]; // commands that change nothing

/** Whether what this page was told to do is not acknowledged yet, or was refused and waits for its writer. */
export const isUnsent = ({ pending }) => pending.some(({ command }) => !QUESTIONS.includes(command.action));

/** The element of the page with `data-` and this name. */
export const part = (name) => document.querySelector(`[data-${name}]`);

/**
 * Connect to `data-route` (see realtime/place.html), with the options of socket.js. What was not sent survives a reload and
 * is asked about before the page is left, `data-status` shows the state of the connection, and an error that answers no command is told in words.
 */
export function connectPage(options = {}) {
  const { route, visitor } = part("route").dataset;
  const socket = connect(route, { keep: `${route} ${visitor}`, ...options });
  socket.on("error", ({ id, message }) => id == null && toast(message));
  showStatus(part("status"), socket);
  askBeforeLeaving(() => isUnsent(socket));
  return socket;
}

/** Tell what the server refused, with `words` before its reason, once for all that was refused together, and forget it. */
export function tellRefused(socket, words) {
  let telling = false;
  socket.onPending((pending) => {
    const refused = pending.filter(({ state }) => state === "failed");
    if (telling || !refused.length) return;
    telling = true;
    toast(`${words}: ${refused[0].error.message}`);
    for (const { id } of refused) socket.discard(id);
    telling = false;
  });
}
