"""Whatever comes instead of a handshake gets an HTTP answer or a hang-up, and nobody else notices."""

import pytest
from websockets.sync.client import connect

from tests.processes import Server
from tests.servers.raw import HANDSHAKE, dial


def handshake(path: str = "/ws/echo/", *, without: str = "", plus: str = "") -> bytes:
    lines = HANDSHAKE.format(path=path, host="localhost").split("\r\n")
    kept = [line for line in lines if not without or not line.startswith(without)]
    return "\r\n".join([kept[0], *filter(None, [plus]), *kept[1:]]).encode("utf-8")


KEY, VERSION, UPGRADE = "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Upgrade"

REFUSED = {
    "garbage": (b"\x16\x03\x01\x02\x00garbage\r\n\r\n", {400}),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", {400}),
    "an unknown version": (handshake(without=VERSION, plus=f"{VERSION}: 8"), {400, 426}),
    "no version": (handshake(without=VERSION), {400, 426}),
    "no key": (handshake(without=KEY), {400}),
    "a key that is not base64": (handshake(without=KEY, plus=f"{KEY}: !"), {400}),
    "a key of 15 bytes": (handshake(without=KEY, plus=f"{KEY}: MTIzNDU2Nzg5MDEyMzQ1"), {400}),
    "two keys": (handshake(plus=f"{KEY}: dGhlIHNhbXBsZSBub25jZQ=="), {400}),
    "a method other than GET": (handshake().replace(b"GET", b"POST"), {400, 403, 404, 405}),
    "a path that is not ASCII": (handshake("/ws/echo/é"), {400}),
    "NUL in the path": (handshake("/ws/echo/\0"), {400}),
    "an encoded NUL in the path": (handshake("/ws/echo%00/"), {404}),
    "an address of 100 kB": (handshake(f"/ws/echo/?{'x' * 100_000}"), {400, 414, 431}),
    "a header of 100 kB": (handshake(plus=f"X-Long: {'x' * 100_000}"), {400, 431}),
    "a route that is not there": (handshake("/ws/nothing/"), {404}),
    "a route below a route": (handshake("/ws/echo/more/"), {404}),
    "a room without a name": (handshake("/ws/chat/"), {404}),
    "the root": (handshake("/"), {404}),
    "a page": (handshake("/console/"), {404}),
    "HTTP on a socket's path": (handshake(without=UPGRADE), {426}),
}


@pytest.mark.parametrize(("sent", "statuses"), REFUSED.values(), ids=REFUSED)
def test_a_handshake_that_cannot_be_is_refused_in_words_of_http(
    server: Server, sent: bytes, statuses: set[int]
) -> None:
    with dial(server) as client:
        assert client.send(sent).answer() in statuses
    with connect(f"{server.ws}/ws/echo/") as healthy:
        healthy.send("still here")
        assert healthy.recv(timeout=5) == "still here"


UNUSUAL = {
    "headers in lower case": handshake().lower().replace(b"get", b"GET").replace(b"http/", b"HTTP/")
    .replace(b"dghlihnhbxbszsbub25jzq==", b"dGhlIHNhbXBsZSBub25jZQ=="),
    "headers in capitals": handshake(without=UPGRADE, plus="UPGRADE: WebSocket"),
    "a Connection of several words": handshake(without="Connection", plus="Connection: keep-alive, Upgrade"),
    "a header given twice": handshake(plus="Cookie: a=1\r\nCookie: b=2"),
    "a header that is not ASCII": handshake(plus="X-Name: Zoë"),
    "a cookie of nonsense": handshake(plus="Cookie: sessionid=\"\\000\\377\"; =; chorus_guest=%%%"),
    "no final slash": handshake("/ws/echo"),
    "an encoded letter": handshake("/ws/%65cho/"),
    "a query of nonsense": handshake("/ws/echo/?prefix=%ff%00&&=;%"),
    "an extension that is unknown": handshake(plus="Sec-WebSocket-Extensions: x-unknown; a=1"),
    "a subprotocol that is unknown": handshake(plus="Sec-WebSocket-Protocol: mqtt, chat"),
    "compression": handshake(plus="Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"),
    "an Origin that is none": handshake(plus="Origin: null"),
    "an Authorization of another kind": handshake(plus="Authorization: Basic YTpi"),
}  # fmt: skip


@pytest.mark.parametrize("sent", UNUSUAL.values(), ids=UNUSUAL)
def test_an_unusual_but_right_handshake_is_accepted(server: Server, sent: bytes) -> None:
    with dial(server) as client:
        assert client.send(sent).answer() == 101


def test_a_handshake_in_single_bytes_is_accepted(server: Server) -> None:
    with dial(server) as client:
        for byte in handshake():
            client.send(bytes([byte]))
        assert client.answer() == 101


def test_who_hangs_up_in_the_middle_of_a_handshake_is_forgotten(server: Server) -> None:
    for size in (1, 10, 100):
        with dial(server) as client:
            client.send(handshake()[:size])
    with connect(f"{server.ws}/ws/echo/") as healthy:
        healthy.send("still here")
        assert healthy.recv(timeout=5) == "still here"
