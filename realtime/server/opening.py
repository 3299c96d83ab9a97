"""A connection up to the answer to its opening handshake (RFC 6455 §4.2): what is known of it until it is open."""

import asyncio
from typing import TYPE_CHECKING, Any

from realtime.server import handshake
from realtime.server.handshake import Handshake, Headers, Refusal

if TYPE_CHECKING:
    from realtime.server.shared import Shared

EARLY_BYTES = 64 * 1024
"""What a client may send before its handshake was answered, as none should (§4.1)."""
END = b"\r\n\r\n"


class Opening:
    """What has come of a handshake, and what was answered. It goes when the connection is open."""

    __slots__ = ("answer", "client", "early", "handshake", "head", "scheme", "server")

    def __init__(self, client: Any, server: Any, *, secure: bool) -> None:
        """`client` and `server` are addresses and ports, as ASGI has them."""
        self.client, self.server = client, server
        self.scheme = "wss" if secure else "ws"
        self.head = bytearray()
        self.early = bytearray()
        self.handshake: Handshake | None = None
        """Read and not yet answered."""
        self.answer: tuple[int, Headers] | None = None
        """Status and headers of an answer that opens nothing; its body is still to come."""

    def received(self, data: bytes) -> Handshake | None:
        """Take in what was received; gives the handshake when it is whole. Raises Refusal."""
        before = max(0, len(self.head) - len(END) + 1)
        self.head += data
        end = self.head.find(END, before)
        if end < 0:
            if too_long := handshake.too_long(self.head):
                raise too_long
            return None
        head, self.early = bytes(self.head[: end + len(END)]), self.head[end + len(END) :]
        self.head = bytearray()
        self.handshake = handshake.read(head)
        return self.handshake

    def scope(self, shared: "Shared", extension: Any) -> dict[str, Any]:
        """The ASGI scope of a whole handshake."""
        asked = self.handshake
        assert asked is not None
        return {
            "type": "websocket",
            "asgi": {"version": shared.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": self.scheme,
            "server": self.server,
            "client": self.client,
            "root_path": shared.root_path,
            "path": shared.root_path + asked.path,
            "raw_path": shared.root_path.encode("ascii") + asked.raw_path,
            "query_string": asked.query,
            "headers": asked.headers,
            "subprotocols": asked.subprotocols,
            "state": shared.app_state.copy(),
            "extensions": {"websocket.http.response": {}, "chorus.connection": extension},
        }

    def accepted(self, default: Headers, message: dict[str, Any]) -> bytes:
        """The response to `websocket.accept`."""
        assert self.handshake is not None
        more = [*default, *message.get("headers", ())]
        if subprotocol := message.get("subprotocol"):
            more.append((b"Sec-WebSocket-Protocol", subprotocol.encode("latin-1")))
        return self.handshake.response(more)


def addresses(transport: asyncio.BaseTransport) -> tuple[tuple[str, int] | None, tuple[str, int | None] | None]:
    """Address and port of the client and of this server, as ASGI has them; a unix socket's is its path."""
    client, server = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
    ours = (str(server), None) if server and not isinstance(server, tuple) else server and server[:2]
    return client[:2] if isinstance(client, tuple) else None, ours or None


def refused(default: Headers, status: int, headers: Headers, length: int | None = None) -> bytes:
    """The head of an answer that opens nothing. Its body ends with the connection, or after `length` bytes."""
    told = [*default, *headers]
    if length is not None:
        told.append((b"Content-Length", b"%d" % length))
    return handshake.response_head(status, told)


__all__ = ["EARLY_BYTES", "Opening", "Refusal", "addresses", "refused"]
