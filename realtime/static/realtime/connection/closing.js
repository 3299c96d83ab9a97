/** What a close code means: whether to come back, when, and in which words. */

const COMES_BACK = new Set([1001, 1005, 1006, 1011, 1012, 1013, 1014]);
const LONGEST_WAIT = 300; // seconds; a larger retry_after is a mistake

const WORDS = {
  1000: "done",
  1001: "the page or the server went away",
  1002: "one side broke the WebSocket protocol",
  1003: "binary where text is spoken",
  1005: "closed without a code",
  1006: "the connection was lost",
  1007: "a text frame was not valid UTF-8",
  1008: "the login failed or is missing",
  1009: "a frame was too big",
  1011: "something went wrong on the server",
  1012: "the server is restarting",
  1013: "too many connections",
  4000: "this client read too slowly",
  4003: "too many messages in a short time",
  4500: "that is not a valid name",
  4503: "the token was revoked or the user deactivated",
  4504: "there is no such stream",
  4506: "not allowed",
};

/** Whether a client should connect again by itself after this close code. */
export function comesBack(code) {
  return COMES_BACK.has(code) || (code >= 4000 && code < 4500);
}

/** Seconds the server asked us to stay away (`retry_after=1.2` in a close reason), else 0. */
export function retryAfter(reason) {
  const match = /(?:^|\s)retry_after=(\d+(?:\.\d+)?)/.exec(reason ?? "");
  return match ? Math.min(Number(match[1]), LONGEST_WAIT) : 0;
}

/** The code in words, without a full stop: "the server is restarting". Why one has to leave, the server says. */
export function explain(code, reason = "") {
  if ((code === 4503 || code === 4506) && reason) return reason;
  return WORDS[code] ?? (code >= 4000 ? "closed by the application" : "closed");
}
