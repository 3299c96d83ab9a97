"""The opening handshake of a plain WebSocket client, read without a parser of HTTP (RFC 6455 §4.2).

The server's HTTP parser has read the request already and hands it over as text; nearly all are alike. What is not
plain (another method, a body, a header twice, an extension wanted) is left to the library that knows them all.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from urllib.parse import unquote

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_BYTES, MAX_HEADERS = 64 * 1024, 200
"""Of a request: as much as a page's may have, with the cookies of all that runs on its host."""
ONCE = frozenset({b"host", b"upgrade", b"connection", b"sec-websocket-key", b"sec-websocket-version"})
"""What has to be there, and once."""
AT_MOST_ONCE = ONCE | {b"origin"}
NOT_PLAIN = frozenset({b"content-length", b"transfer-encoding"})
REQUEST_LINE = re.compile(rb"GET (/[!-~]*) HTTP/1\.1")
HEADER = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+):([\t -~\x80-\xff]*)")
"""A header line (RFC 9110 §5.1, §5.5): a name or a value with anything else in it could be read as two."""

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Handshake:
    """A request that can be accepted."""

    raw_path: bytes
    path: str
    query: bytes
    headers: Headers
    """Names in lower case."""
    accept: bytes
    """What proves that the request was read (§4.2.2, 5.4)."""

    def response(self, more: Headers) -> bytes:
        """The 101 response, with more headers."""
        lines = [
            b"HTTP/1.1 101 Switching Protocols",
            b"Upgrade: websocket",
            b"Connection: Upgrade",
            b"Sec-WebSocket-Accept: " + self.accept,
            *(name + b": " + value for name, value in more),
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n"


def read(data: bytes) -> Handshake | None:
    """The handshake in a whole request, or None if it is not a plain one that is right in all it says."""
    if len(data) > MAX_BYTES or not data.endswith(b"\r\n\r\n"):
        return None
    first, *lines = data[:-4].split(b"\r\n")
    asked = REQUEST_LINE.fullmatch(first)
    if asked is None or len(lines) > MAX_HEADERS:
        return None
    raw_path, _, query = asked[1].partition(b"?")
    headers: Headers = []
    known: dict[bytes, bytes] = {}
    for line in lines:
        header = HEADER.fullmatch(line)
        if header is None:
            return None
        name, value = header[1].lower(), header[2].strip()
        if name in NOT_PLAIN or name in known:
            return None
        if name in AT_MOST_ONCE:
            known[name] = value
        headers.append((name, value))
    if not (known.keys() >= ONCE and _is_right(known)):
        return None
    accept = base64.b64encode(hashlib.sha1(known[b"sec-websocket-key"] + GUID, usedforsecurity=False).digest())
    return Handshake(raw_path, unquote(raw_path.decode()), query, headers, accept)


def _is_right(known: dict[bytes, bytes]) -> bool:
    tokens = [token.strip().lower() for token in known[b"connection"].split(b",")]
    if known[b"upgrade"].lower() != b"websocket" or b"upgrade" not in tokens:
        return False
    if known[b"sec-websocket-version"] != b"13":
        return False
    try:
        return len(base64.b64decode(known[b"sec-websocket-key"], validate=True)) == 16
    except binascii.Error:
        return False
