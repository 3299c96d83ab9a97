/** The state of a connection in words that do not pretend. */

import { explain } from "./closing.js";

/** A status as a sentence. `now` in ms, as Date.now() counts. */
export function describe(status, now = Date.now()) {
  switch (status.state) {
    case "connected":
      return connected(status);
    case "connecting":
      return "Connecting…";
    case "waiting":
      return `${lost(status)} Trying again in ${Math.max(1, Math.ceil((status.retryAt - now) / 1000))} s.`;
    default:
      return stopped(status);
  }
}

/** The status with its sentence, as `text`. */
export const described = (status) => ({ ...status, text: describe(status) });

function connected({ missed, whole, what = "message" }) {
  if (missed === undefined) return "Connected";
  if (!whole) return "Back online. Not everything could be caught up; this is the newest.";
  if (missed === 0) return "Back online. Nothing was missed.";
  return `Back online. ${missed} missed ${missed === 1 ? what : `${what}s`} caught up.`;
}

/** Why there is no connection, in a sentence. */
export function lost({ code, reason }) {
  if (reason === "no answer") return "The server does not answer.";
  if (code === 1012) return "The server is restarting.";
  if (code === 1013) return "Too many connections.";
  if (code === 4003) return "Too many messages in a short time.";
  return "Offline.";
}

function stopped({ code, reason, message }) {
  if (code === 1000) return "Disconnected.";
  const why = message ?? explain(code, reason);
  return `Disconnected: ${why}${why.endsWith(".") ? "" : "."}`;
}
