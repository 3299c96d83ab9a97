"""What no WebSocket library would send is answered as RFC 6455 asks, and harms nobody else."""

from itertools import islice

import pytest
from websockets.sync.client import connect

from tests.processes import Server
from tests.servers.raw import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame, header, open_raw

PROTOCOL_ERROR, INVALID_DATA, TOO_BIG = 1002, 1007, 1009
MIB = 1024 * 1024


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2) + reason)


WRONG = {
    "a frame without a mask": (frame(TEXT, b"hi", masked=False), PROTOCOL_ERROR),
    "reserved bit 1": (frame(TEXT, b"hi", rsv=4), PROTOCOL_ERROR),
    "reserved bit 3": (frame(BINARY, b"hi", rsv=1), PROTOCOL_ERROR),
    "a reserved data opcode": (frame(3, b"hi"), PROTOCOL_ERROR),
    "a reserved control opcode": (frame(11), PROTOCOL_ERROR),
    "a ping of 126 bytes": (frame(PING, b"p" * 126), PROTOCOL_ERROR),
    "a pong of 126 bytes": (frame(PONG, b"p" * 126), PROTOCOL_ERROR),
    "a close of 126 bytes": (close(1000, b"r" * 124), PROTOCOL_ERROR),
    "a ping in fragments": (frame(PING, b"p", fin=False), PROTOCOL_ERROR),
    "a close in fragments": (frame(CLOSE, b"\x03\xe8", fin=False), PROTOCOL_ERROR),
    "a continuation of nothing": (frame(CONT, b"hi"), PROTOCOL_ERROR),
    "a continuation after a whole message": (frame(TEXT, b"hi") + frame(CONT, b"hi"), PROTOCOL_ERROR),
    "a message within another": (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), PROTOCOL_ERROR),
    "binary within a text": (frame(TEXT, b"a", fin=False) + frame(BINARY, b"b"), PROTOCOL_ERROR),
    "a close of one byte": (frame(CLOSE, b"\x03"), PROTOCOL_ERROR),
    "close code 0": (close(0), PROTOCOL_ERROR),
    "close code 999": (close(999), PROTOCOL_ERROR),
    "close code 1004": (close(1004), PROTOCOL_ERROR),
    "close code 1005": (close(1005), PROTOCOL_ERROR),
    "close code 1006": (close(1006), PROTOCOL_ERROR),
    "close code 1015": (close(1015), PROTOCOL_ERROR),
    "close code 2999": (close(2999), PROTOCOL_ERROR),
    "close code 5000": (close(5000), PROTOCOL_ERROR),
    "close code 65535": (close(65535), PROTOCOL_ERROR),
    "a close reason that is not UTF-8": (close(1000, b"\xff"), INVALID_DATA),
    "text that is not UTF-8": (frame(TEXT, b"h\xffi"), INVALID_DATA),
    "text cut within a character": (frame(TEXT, "é".encode()[:1]), INVALID_DATA),
    "an encoded surrogate": (frame(TEXT, b"\xed\xa0\x80"), INVALID_DATA),
    "an overlong encoding": (frame(TEXT, b"\xc0\xaf"), INVALID_DATA),
    "beyond the last code point": (frame(TEXT, b"\xf4\x90\x80\x80"), INVALID_DATA),
    "fragments that are not UTF-8": (frame(TEXT, b"h", fin=False) + frame(CONT, b"\xff"), INVALID_DATA),
    "fragments cut within a character": (
        frame(TEXT, "é".encode()[:1], fin=False) + frame(CONT, b"x"),
        INVALID_DATA,
    ),
    "a message over the limit": (frame(BINARY, b"x" * (MIB + 1)), TOO_BIG),
    "a header that announces too much": (header(TEXT, MIB + 1), TOO_BIG),
    "fragments that are too big together": (
        frame(BINARY, b"x" * MIB, fin=False) + frame(CONT, b"x"),
        TOO_BIG,
    ),
    "a header that announces 4 EiB": (header(BINARY, 2**62), TOO_BIG),
}


@pytest.mark.parametrize("path", ["/ws/echo/", "/ws/chat/raw/"])
@pytest.mark.parametrize(("sent", "code"), WRONG.values(), ids=WRONG)
def test_a_wrong_frame_ends_its_connection_with_the_code_it_deserves(
    server: Server, sent: bytes, code: int, path: str
) -> None:
    with open_raw(server, path) as client:
        assert client.send(sent).close_code() == code


RIGHT = {
    "a message in fragments, a ping in between": (
        frame(TEXT, b"He", fin=False) + frame(PING, b"p") + frame(CONT, b"l", fin=False) + frame(CONT, b"lo"),
        [(PONG, b"p"), (TEXT, b"Hello")],
    ),
    "a character cut by a fragment": (
        frame(TEXT, "é".encode()[:1], fin=False) + frame(CONT, "é".encode()[1:]),
        [(TEXT, "é".encode())],
    ),
    "empty fragments": (
        frame(TEXT, fin=False) + frame(CONT, fin=False) + frame(CONT),
        [(TEXT, b"")],
    ),
    "an unasked pong": (frame(PONG, b"p") + frame(TEXT, b"hi"), [(TEXT, b"hi")]),
    "a ping of 125 bytes": (frame(PING, b"p" * 125), [(PONG, b"p" * 125)]),
    "a message of exactly the limit": (frame(BINARY, b"x" * MIB), [(BINARY, b"x" * MIB)]),
    "noncharacters": (frame(TEXT, "\ufffe\U0010ffff".encode()), [(TEXT, "\ufffe\U0010ffff".encode())]),
    "many messages in one write": (frame(TEXT, b"a") * 100, [(TEXT, b"a")] * 100),
}


@pytest.mark.parametrize(("sent", "expected"), RIGHT.values(), ids=RIGHT)
def test_an_unusual_but_right_frame_is_understood(
    server: Server, sent: bytes, expected: list[tuple[int, bytes]]
) -> None:
    with open_raw(server, "/ws/echo/") as client:
        client.send(sent)
        assert list(islice(client.frames(), len(expected))) == expected
        assert client.send(close(1000)).close_code() == 1000


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999])
def test_a_close_is_answered_with_its_code(server: Server, code: int) -> None:
    with open_raw(server, "/ws/echo/") as client:
        assert client.send(close(code, "tschüß".encode())).close_code() == code


def test_a_close_without_a_code_is_answered_without_one(server: Server) -> None:
    with open_raw(server, "/ws/echo/") as client:
        assert client.send(frame(CLOSE)).close_code() == 1005


def test_a_close_between_fragments_is_clean_and_what_follows_is_ignored(server: Server) -> None:
    with open_raw(server, "/ws/echo/") as client:
        client.send(frame(TEXT, b"a", fin=False) + close(1000) + frame(CONT, b"b"))
        assert list(client.frames()) == [(CLOSE, b"\x03\xe8")]


def test_others_are_served_while_one_sends_every_wrong_frame(server: Server) -> None:
    with connect(f"{server.ws}/ws/echo/") as healthy:
        for number, (sent, code) in enumerate(WRONG.values()):
            with open_raw(server, "/ws/echo/") as client:
                client.send(sent)
                healthy.send(f"still here {number}")
                assert healthy.recv(timeout=5) == f"still here {number}"
                assert client.close_code() == code
