/** What a page asks of this site's HTTP API, as who is logged in here. */

/** Returns the answer, or null where there is none. What changes something takes the CSRF token in `form`. Throws in words. */
export async function ask(address, method, body = null, form = null) {
  const headers = form ? { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value } : {};
  let answer;
  try {
    answer = await fetch(address, { method, headers, cache: "no-store", body: body && JSON.stringify(body) });
  } catch {
    throw new Error("The server does not answer. Try again in a moment.");
  }
  if (answer.status === 204) return null;
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.message ?? "The server does not answer as expected. Reload the page and try again.");
  return told;
}
