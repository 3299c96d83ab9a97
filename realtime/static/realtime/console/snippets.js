/** The console's settings as code. A token is never written out: code reads it from its environment. */

/** A string literal of Python and JavaScript, in the quotes that need fewer backslashes. */
function quoted(text) {
  const literal = JSON.stringify(text);
  if (!text.includes('"') || text.includes("'")) return literal;
  return `'${literal.slice(1, -1).replace(/\\(.)/g, (escape, character) => (character === '"' ? '"' : escape))}'`;
}

const shellQuoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

function python({ address, text, file, login }) {
  const lines = login ? ["import os", ""] : [];
  lines.push("from websockets.sync.client import connect", "");
  if (login) {
    lines.push(`headers = {"Authorization": "Bearer " + os.environ["CHORUS_TOKEN"]}`);
    lines.push(`with connect(${quoted(address)}, additional_headers=headers) as socket:`);
  } else {
    lines.push(`with connect(${quoted(address)}) as socket:`);
  }
  if (file) lines.push(`    with open(${quoted(file)}, "rb") as content:`, "        socket.send(content.read())");
  else if (text) lines.push(`    socket.send(${quoted(text)})`);
  lines.push("    for message in socket:", "        print(message)");
  return lines.join("\n");
}

function wscat({ address, text, file, login }) {
  const header = login ? ` -H "Authorization: Bearer $CHORUS_TOKEN"` : "";
  const line = `wscat -c ${shellQuoted(address)}${header}`;
  if (file) return `${line}\n# wscat sends text only; for a file use the Python lines.`;
  return text ? `${line} -w 5 -x ${shellQuoted(text)}` : line;
}

function javascript({ address, text, file, login }) {
  const lines = [`const socket = new WebSocket(${quoted(address)});`];
  lines.push("socket.onmessage = (event) => console.log(event.data);");
  lines.push("socket.onclose = (event) => console.log(event.code, event.reason);");
  const opening = [];
  if (login) opening.push("socket.send(JSON.stringify({ token }));  // your access token");
  if (file) opening.push("socket.send(await input.files[0].arrayBuffer());  // input: <input type=file>");
  else if (text) opening.push(`socket.send(${quoted(text)});`);
  if (opening.length) {
    lines.push(`socket.onopen = ${file ? "async " : ""}() => {`, ...opening.map((line) => `  ${line}`), "};");
  }
  return lines.join("\n");
}

const LANGUAGES = { python, wscat, javascript };

/** Code in `language` (`python`, `wscat`, `javascript`) that connects to `address` and sends `text`, or `file` by name. */
export function snippet(language, { address, text = "", file = "", login = false }) {
  return LANGUAGES[language]({ address, text, file, login });
}
