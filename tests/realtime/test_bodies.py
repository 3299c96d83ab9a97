"""How large a request's body may be."""

import json
from typing import Any

import pytest

from realtime.bodies import limited_bodies

LIMITS = [("/api/", lambda: 100), ("/any/", lambda: 0), ("/none/", lambda: None), ("", lambda: 10)]
Message = dict[str, Any]


class Asked:
    """One request through the middleware, to an application that reads its body as Django does."""

    def __init__(self, path: str, *chunks: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        self.scope: Message = {"type": "http", "path": path, "headers": headers or [], "client": ("192.0.2.1", 1)}
        self.chunks = list(chunks)
        self.read: list[bytes] = []
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        chunk = self.chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(self.chunks)}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def application(self, _scope: Message, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            self.read.append(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def status(self) -> int:
        """Ask; gives the status of the answer."""
        await limited_bodies(self.application, LIMITS)(self.scope, self.receive, self.send)
        return int(self.sent[0]["status"])


def length(number: object) -> list[tuple[bytes, bytes]]:
    return [(b"content-length", str(number).encode())]


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/api/chat/", 100, 200),
        ("/api/chat/", 101, 413),
        ("/accounts/login/", 10, 200),
        ("/accounts/login/", 11, 413),
        ("/nowhere", 11, 413),
        ("/any/", 10_000, 200),
        ("/none/", 10_000, 200),
    ],
)
async def test_a_body_is_limited_by_its_address(path: str, size: int, status: int) -> None:
    assert await Asked(path, b"x" * size).status() == status
    assert await Asked(path, *[b"x"] * size).status() == status
    assert await Asked(path, b"x" * size, headers=length(size)).status() == status


async def test_a_length_that_is_too_much_is_refused_before_anything_is_read() -> None:
    for said in (11, "9" * 5000, "0" * 30 + "11"):
        asked = Asked("/", headers=length(said))
        assert await asked.status() == 413
        assert asked.read == []


async def test_a_length_that_is_none_does_not_count() -> None:
    assert await Asked("/", b"x" * 11, headers=length("-1")).status() == 413
    assert await Asked("/", b"x" * 10, headers=length("")).status() == 200


async def test_what_comes_in_chunks_is_read_up_to_the_limit() -> None:
    asked = Asked("/", *[b"xxxx"] * 1000)
    assert await asked.status() == 413
    assert asked.read == [b"xxxx"] * 2
    assert len(asked.chunks) == 997


async def test_the_answer_says_why_and_ends_the_connection() -> None:
    asked = Asked("/api/", b"x" * 101)
    await asked.status()
    start, body = asked.sent
    assert (b"connection", b"close") in start["headers"]
    assert json.loads(body["body"]) == {
        "type": "error",
        "code": "too_long",
        "message": "The body is too big (max 100 bytes)",
    }


async def test_a_path_is_that_behind_the_server_s_own() -> None:
    asked = Asked("/chorus/api/", b"x" * 100)
    asked.scope["root_path"] = "/chorus"
    assert await asked.status() == 200
