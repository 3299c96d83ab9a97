/** Sizes and bytes for people. */

const encoder = new TextEncoder();
const PER_LINE = 16;
const SHOWN = 4096; // bytes of a dump

/** Bytes of a frame: of its UTF-8 where it is text. */
export function sizeOf(data) {
  return typeof data === "string" ? encoder.encode(data).length : data.byteLength;
}

/** `128 B`, `1.5 KB`, `3.2 MB`. */
export function inWords(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** The bytes as hexadecimal with their ASCII beside, the first few thousand of them. */
export function dump(buffer) {
  const bytes = new Uint8Array(buffer, 0, Math.min(buffer.byteLength, SHOWN));
  const lines = [];
  for (let start = 0; start < bytes.length; start += PER_LINE) {
    const part = Array.from(bytes.subarray(start, start + PER_LINE));
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const ascii = part.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${start.toString(16).padStart(6, "0")}  ${hex.padEnd(PER_LINE * 3 - 1)}  ${ascii}`);
  }
  if (buffer.byteLength > SHOWN) lines.push(`… ${inWords(buffer.byteLength - SHOWN)} more`);
  return lines.join("\n");
}
