"""The opening handshake (RFC 6455 §4.2), read from the head of a request as it was sent.

    read(head) ──► Handshake, whose `response` opens the connection, or Refusal, whose `response` does not

No more is accepted than the library `websockets` accepts, but for the number and the size of headers, and tests hold it
against that. It is stricter where two readings of a request are possible: see the comments.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import unquote

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MAX_BYTES, MAX_HEADERS = 64 * 1024, 200
"""Of a request's head: as much as pages behind a single sign-on get, with the cookies of all that runs on a host."""

REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) (HTTP/[0-9]\.[0-9])")
TARGET = re.compile(rb"(?:[Hh][Tt][Tt][Pp][Ss]?://[^/?]*)?(/[^#]*)")
"""A path, or an absolute address, of which the Host header says enough (RFC 9112 §3.2.2)."""
HEADER = re.compile(rb"([-!#$%&'*+.^_`|~0-9A-Za-z]+):([\t -~\x80-\xff]*)")
"""A header line (RFC 9110 §5.1, §5.5): a name or a value with anything else in it could be read as two."""
TOKEN = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
TOKENS = re.compile(rb"[\t ,]*%b(?:[\t ]*,[\t ,]*%b)*[\t ,]*" % (TOKEN, TOKEN))
"""A list of tokens, in which elements may be empty (RFC 9110 §5.6.1.2)."""
ONE_OF = frozenset({b"host", b"sec-websocket-key", b"sec-websocket-version", b"origin"})
"""What may be there once at most: of two values nobody knows which one counts."""

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Handshake:
    """A request that can be accepted."""

    raw_path: bytes
    path: str
    query: bytes
    headers: Headers
    """Names in lower case."""
    subprotocols: list[str]
    """What the client offers, in its order."""
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


class Refusal(Exception):
    """A request that opens nothing: a status, and why in words."""

    def __init__(self, status: HTTPStatus, why: str, *more: tuple[bytes, bytes]) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.more = more

    def response(self, headers: Headers) -> bytes:
        """The whole answer, after which the connection ends."""
        body = f"{self.why}\n".encode()
        told = [*headers, *self.more, (b"Content-Type", b"text/plain; charset=utf-8")]
        return response_head(self.status, [*told, (b"Content-Length", b"%d" % len(body))]) + body


def response_head(status: int, headers: Headers) -> bytes:
    """The head of an answer that is no handshake and the last on its connection."""
    try:
        phrase = HTTPStatus(status).phrase.encode()
    except ValueError:
        phrase = b""
    lines = [b"HTTP/1.1 %d %b" % (status, phrase), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n"


def read(head: bytes) -> Handshake:
    """Read a head, up to and with its empty line; raises Refusal."""
    if len(head) > MAX_BYTES:
        _refuse_long(head)
    first, *lines = head[:-4].split(b"\r\n")
    asked = REQUEST_LINE.fullmatch(first)
    if asked is None:
        raise Refusal(HTTPStatus.BAD_REQUEST, "This is no request of HTTP.")
    if len(lines) > MAX_HEADERS:
        raise Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Too many headers (max {MAX_HEADERS})")
    method, target, version = asked.groups()
    where = TARGET.fullmatch(target)
    if where is None:
        raise Refusal(HTTPStatus.BAD_REQUEST, "The address has to begin with a slash.")
    if method != b"GET":
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "A WebSocket is opened by GET.", (b"Allow", b"GET"))
    if version != b"HTTP/1.1":
        raise Refusal(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "A WebSocket is opened by HTTP/1.1.")
    headers, lists = _headers(lines)
    raw_path, _, query = where[1].partition(b"?")
    return Handshake(
        raw_path, unquote(raw_path.decode()), query, headers, _subprotocols(lists), _accept_key(headers, lists)
    )


def _refuse_long(head: bytes) -> NoReturn:
    if head.find(b"\r\n", 0, MAX_BYTES) < 0:
        raise Refusal(HTTPStatus.REQUEST_URI_TOO_LONG, f"The address is too long (max {MAX_BYTES} bytes with headers)")
    raise Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Too many bytes of headers (max {MAX_BYTES})")


def too_long(head: bytes | bytearray) -> Refusal | None:
    """Why a head that has not ended yet is refused: it has more bytes than one may have."""
    if len(head) <= MAX_BYTES:
        return None
    try:
        _refuse_long(bytes(head))
    except Refusal as refusal:
        return refusal


def _headers(lines: list[bytes]) -> tuple[Headers, dict[bytes, list[bytes]]]:
    headers: Headers = []
    lists: dict[bytes, list[bytes]] = {}
    for line in lines:
        header = HEADER.fullmatch(line)
        if header is None:
            raise Refusal(HTTPStatus.BAD_REQUEST, "A header is malformed.")
        name, value = header[1].lower(), header[2].strip(b" \t")
        if name in ONE_OF and name in lists:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"The header {name.decode()} is there twice.")
        lists.setdefault(name, []).append(value)
        headers.append((name, value))
    # A body would be read as frames: who sends one means something else (RFC 9110 §7.8).
    if b"transfer-encoding" in lists or not set(lists.get(b"content-length", [])) <= {b"0"}:
        raise Refusal(HTTPStatus.BAD_REQUEST, "A handshake has no body.")
    return headers, lists


def _accept_key(headers: Headers, lists: dict[bytes, list[bytes]]) -> bytes:
    """What the key of a right handshake is answered with."""
    if b"host" not in lists:
        raise Refusal(HTTPStatus.BAD_REQUEST, "There is no Host header (RFC 9112 §3.2).")
    if b"upgrade" not in _tokens(lists, b"connection") or _tokens(lists, b"upgrade") != [b"websocket"]:
        raise Refusal(
            HTTPStatus.UPGRADE_REQUIRED,
            "This is the address of a WebSocket: it needs the headers Upgrade: websocket and Connection: Upgrade.",
            (b"Upgrade", b"websocket"),
        )
    if lists.get(b"sec-websocket-version") != [b"13"]:
        raise Refusal(
            HTTPStatus.UPGRADE_REQUIRED,
            "The version of a WebSocket has to be 13.",
            (b"Sec-WebSocket-Version", b"13"),  # §4.4
            (b"Upgrade", b"websocket"),
        )
    key = lists.get(b"sec-websocket-key", [b""])[0]
    try:
        is_right = len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        is_right = False
    if not is_right:
        raise Refusal(HTTPStatus.BAD_REQUEST, "Sec-WebSocket-Key has to be 16 bytes in base64.")
    return base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())


def _tokens(lists: dict[bytes, list[bytes]], name: bytes) -> list[bytes]:
    """The elements of a header that is a list, in lower case; none where it is malformed."""
    value = b",".join(lists.get(name, ()))
    if not TOKENS.fullmatch(value):
        return []
    return [token.lower() for part in value.split(b",") if (token := part.strip(b" \t"))]


def _subprotocols(lists: dict[bytes, list[bytes]]) -> list[str]:
    offered = lists.get(b"sec-websocket-protocol")
    if offered is None:
        return []
    value = b",".join(offered)
    # Each element is a token and stands there once (§4.1, 10); so does the library have it, but for twice.
    if not all(TOKENS.fullmatch(each) for each in offered):
        raise Refusal(HTTPStatus.BAD_REQUEST, "Sec-WebSocket-Protocol has to be a list of names.")
    return [token.decode() for part in value.split(b",") if (token := part.strip(b" \t"))]
