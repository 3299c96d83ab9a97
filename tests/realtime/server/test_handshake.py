"""An opening handshake is read, or refused in words of HTTP."""

import asyncio
import time
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from realtime.server.connection import ChorusProtocol
from realtime.server.handshake import MAX_BYTES, MAX_HEADERS, Refusal, read, too_long

SECONDS = 5.0
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
PLAIN = ["Host: chorus.example", "Upgrade: websocket", "Connection: Upgrade", KEY, "Sec-WebSocket-Version: 13"]
FIVE = [line.partition(":")[0] for line in PLAIN]


def request(*more: str, line: str = "GET / HTTP/1.1", without: str = "") -> bytes:
    """A handshake as bytes, with more headers, or with one of the five replaced or left out."""
    lines = [line, *(each for each in PLAIN if not without or not each.startswith(without)), *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def test_the_accept_key_is_that_of_the_rfc() -> None:
    assert read(request()).accept == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(request().replace(b"Host", b"hOST").replace(b"Upgrade:", b"UPGRADE:"), id="names in any case"),
        pytest.param(request("Connection: keep-alive, Upgrade", without="Connection"), id="two connection options"),
        pytest.param(request("Connection: keep-alive ,\tupgrade", without="Connection"), id="odd blanks"),
        pytest.param(request("Upgrade: WebSocket", without="Upgrade"), id="upgrade in any case"),
        pytest.param(request("Connection: keep-alive"), id="connection options in two headers"),
        pytest.param(request("Content-Length: 0"), id="a body of nothing"),
        pytest.param(request(line="GET http://chorus.example/ HTTP/1.1"), id="an absolute target"),
        pytest.param(request("Cookie: a=1", "Cookie: b=2"), id="two cookies"),
        pytest.param(request("Origin: https://chorus.example"), id="one origin"),
        pytest.param(request("X-Empty:"), id="an empty value"),
        pytest.param(request(*["X-Many: 1"] * (MAX_HEADERS - len(PLAIN))), id="as many headers as may be"),
        pytest.param(request("X-Long: " + "x" * (MAX_BYTES - len(request("X-Long: ")))), id="as long as may be"),
    ],
)
def test_a_right_handshake_is_read(data: bytes) -> None:
    assert read(data).accept == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


REFUSED = {
    "Host twice": (request(PLAIN[0]), 400),
    "Upgrade twice": (request(PLAIN[1]), 426),
    "the key twice": (request(PLAIN[3]), 400),
    "the version twice": (request(PLAIN[4]), 400),
    "no Host": (request(without="Host"), 400),
    "no Upgrade": (request(without="Upgrade"), 426),
    "no Connection": (request(without="Connection"), 426),
    "no key": (request(without=KEY[:17]), 400),
    "no version": (request(without="Sec-WebSocket-Version"), 426),
    "another version": (request("Sec-WebSocket-Version: 8", without="Sec-WebSocket-Version"), 426),
    "a version that only begins right": (request("Sec-WebSocket-Version: 13, 8", without="Sec-WebSocket-Version"), 426),
    "a key that is too short": (request("Sec-WebSocket-Key: dGhlIHNhbXBsZQ==", without=KEY[:17]), 400),
    "a key that is too long": (request("Sec-WebSocket-Key: " + "A" * 32, without=KEY[:17]), 400),
    "a key of another alphabet": (request(KEY.replace("G", "*"), without=KEY[:17]), 400),
    "an empty key": (request("Sec-WebSocket-Key:", without=KEY[:17]), 400),
    "another upgrade": (request("Upgrade: h2c", without="Upgrade"), 426),
    "a choice of upgrades": (request("Upgrade: websocket, h2c", without="Upgrade"), 426),
    "a connection that stays": (request("Connection: keep-alive", without="Connection"), 426),
    "an option that only contains upgrade": (request("Connection: upgraded", without="Connection"), 426),
    "a malformed Connection": (request("Connection: upgrade; a", without="Connection"), 426),
    "malformed subprotocols": (request("Sec-WebSocket-Protocol: a b"), 400),
    "a subprotocol in quotes": (request('Sec-WebSocket-Protocol: "a"'), 400),
    "an empty list of subprotocols": (request("Sec-WebSocket-Protocol: ,"), 400),
    "two origins": (request("Origin: https://a.example", "Origin: https://b.example"), 400),
    "a body": (request("Content-Length: 4"), 400),
    "a body in chunks": (request("Transfer-Encoding: chunked"), 400),
    "a path that is not ASCII": (request(line="GET /gr\xfc\xdfe HTTP/1.1"), 400),
    "a query that is not ASCII": (request(line="GET /?q=\xfc HTTP/1.1"), 400),
    "a blank in the path": (request(line="GET /a b HTTP/1.1"), 400),
    "a path that begins nowhere": (request(line="GET ws HTTP/1.1"), 400),
    "a fragment": (request(line="GET /#a HTTP/1.1"), 400),
    "a folded line": (request("X-Folded: a", " b: c"), 400),
    "a blank before a colon": (request("X-Blank : a"), 400),
    "no name": (request(": a"), 400),
    "no colon": (request("X-None"), 400),
    "a NUL in a value": (request("X-Nul: a\0b"), 400),
    "a CR in a value": (request("X-Cr: a\rX-Other: b"), 400),
    "a line feed alone": (request("X-Lf: a\nX-Other: b"), 400),
    "another method": (request(line="POST / HTTP/1.1"), 405),
    "a method in lower case": (request(line="get / HTTP/1.1"), 405),
    "an older protocol": (request(line="GET / HTTP/1.0"), 505),
    "a later protocol": (request(line="GET / HTTP/2.0"), 505),
    "no protocol of HTTP": (request(line="GET / SIP/2.0"), 400),
    "too many headers": (request(*["X-Many: 1"] * (MAX_HEADERS + 1)), 431),
    "a header that is too long": (request("X-Long: " + "x" * MAX_BYTES), 431),
    "a target that is too long": (request(line="GET /" + "x" * MAX_BYTES + " HTTP/1.1"), 414),
}


@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_with_its_status(data: bytes, status: int) -> None:
    with pytest.raises(Refusal) as caught:
        read(data)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("head", "status"),
    [(b"GET /" + b"x" * MAX_BYTES, 414), (b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_BYTES, 431), (b"GET / HT", None)],
)
def test_a_head_that_does_not_end_is_refused_when_it_is_too_long(head: bytes, status: int | None) -> None:
    refusal = too_long(head)
    assert (None if refusal is None else refusal.status) == status


@pytest.mark.parametrize("name", ["Sec-WebSocket-Protocol", "Connection", "Upgrade"])
@pytest.mark.parametrize("unit", [", ", "\t", ",", "a,", "a ", "a"])
def test_a_list_as_long_as_may_be_is_read_in_no_time(name: str, unit: str) -> None:
    started = time.process_time()
    with suppress(Refusal):
        read(request(f"{name}: {unit * (60_000 // len(unit))}!@", without=name))
    assert time.process_time() - started < 0.5


class Wire(asyncio.Transport):
    """The far end of a connection: keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 5000), "sockname": ("127.0.0.1", 8000)})
        self.written = b""
        self.closing = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closing = True

    abort = close

    def is_closing(self) -> bool:
        return self.closing

    def get_protocol(self) -> asyncio.BaseProtocol:
        return asyncio.Protocol()

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def served(
    kind: type[Any], data: bytes, accept: dict[str, Any] | None = None, root_path: str = ""
) -> tuple[dict[str, Any], bytes]:
    """The scope that an application is given for a request, empty for none, and all that is answered."""
    scopes: list[dict[str, Any]] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        scopes.append(scope)
        await receive()
        await send({"type": "websocket.accept", **(accept or {})})

    config = uvicorn.Config(application, lifespan="off", log_config=None, ws="none", root_path=root_path)
    config.load()
    state, wire = ServerState(), Wire()
    state.default_headers = [(b"server", b"chorus")]
    protocol = kind(config, state, {"shared": 1})
    protocol.connection_made(wire)
    protocol.data_received(data)
    await asyncio.wait_for(asyncio.gather(*state.tasks), SECONDS)
    protocol.connection_lost(None)
    return (scopes[0] if scopes else {}), wire.written


@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
async def test_a_wrong_request_is_answered(data: bytes, status: int) -> None:
    scope, answer = await served(ChorusProtocol, data)
    assert scope == {}
    assert int(answer.split(b" ", 2)[1]) == status


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(request(), id="plain"),
        pytest.param(request(line="GET /caf%C3%A9/a%2Fb/?q=%C3%BC&r=a+b HTTP/1.1"), id="percent-encoded"),
        pytest.param(request(line="GET /a?b?c HTTP/1.1"), id="two question marks"),
        pytest.param(request(line="GET /a%FF%00 HTTP/1.1"), id="no UTF-8"),
        pytest.param(request(line="GET //a/../b;c=1? HTTP/1.1"), id="odd but right"),
        pytest.param(request("Sec-WebSocket-Protocol: chat, super", "Sec-WebSocket-Protocol: v2"), id="subprotocols"),
        pytest.param(request("X-Name: J\xfcrgen \xff"), id="latin-1"),
        pytest.param(request("Cookie: a=1", "Cookie: b=2", "X-Blank: \t a  b \t"), id="headers twice, blanks"),
    ],
)
async def test_the_scope_is_the_one_of_the_base_class(data: bytes) -> None:
    ours, _ = await served(ChorusProtocol, data, root_path="/sub")
    theirs, _ = await served(WebSocketsSansIOProtocol, data, root_path="/sub")
    theirs["headers"] = [(name.lower(), value) for name, value in theirs["headers"]]
    del ours["extensions"]["chorus.connection"]
    assert ours == theirs


async def test_the_chosen_subprotocol_is_answered() -> None:
    _, answer = await served(ChorusProtocol, request("Sec-WebSocket-Protocol: a, b"), {"subprotocol": "b"})
    assert b"\r\nSec-WebSocket-Protocol: b\r\n" in answer


async def test_no_subprotocol_is_answered_where_none_was_chosen() -> None:
    _, answer = await served(ChorusProtocol, request("Sec-WebSocket-Protocol: a, b"))
    assert b"sec-websocket-protocol" not in answer.lower()


async def test_the_application_s_headers_are_answered() -> None:
    _, answer = await served(ChorusProtocol, request(), {"headers": [(b"set-cookie", b"a=\xfc"), (b"x-b", b"2")]})
    assert b"\r\nset-cookie: a=\xfc\r\nx-b: 2\r\n\r\n" in answer


async def test_the_server_s_own_headers_are_answered() -> None:
    _, answer = await served(ChorusProtocol, request())
    assert b"\r\nserver: chorus\r\n" in answer


def test_the_response_is_that_of_the_rfc() -> None:
    assert read(request()).response([(b"a", b"1")]) == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\na: 1\r\n\r\n"
    )
