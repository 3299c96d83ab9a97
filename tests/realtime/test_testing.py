"""What teams test with: a socket as anybody, what is said on it, how it ends, and nothing left behind."""

import asyncio
import threading
from typing import Any

import pytest
from channels.routing import get_default_application
from django.contrib.auth.models import User
from django.urls import re_path
from pytest_django import Settings

from accounts.credentials import Credentials
from realtime import db, testing
from realtime.asgi import websocket_application
from realtime.consumers import SocketConsumer
from realtime.hub.hub import current_hub, hubs
from realtime.protocol import Close, CloseCode
from realtime.testing import HandshakeRefused, connect, session_cookie, tidy, until

pytestmark = pytest.mark.django_db(transaction=True)


class Parrot(SocketConsumer):
    """Says what it is told, among other things."""

    async def on_text(self, text: str) -> None:
        match text:
            case "who":
                await self.reply(f'{{"type": "name", "name": "{self.identity.name}"}}')
            case "bye":
                raise Close(CloseCode.DONE, "as you wish")
            case "count":
                for number in (1, 2, 3):
                    await self.reply(f'{{"type": "number", "number": {number}}}')
            case _:
                await self.reply(text)

    async def on_bytes(self, data: bytes) -> None:
        await self.reply(data)


APPLICATION = websocket_application([re_path(r"^parrot/$", Parrot.as_asgi())], credentials=Credentials)


def parrot(**options: Any) -> Any:
    return connect("/parrot/", application=APPLICATION, **options)


async def name_of(**options: Any) -> str:
    async with parrot(**options) as socket:
        await socket.send("who")
        name: str = (await socket.event())["name"]
        return name


# Who opens it.


async def test_a_socket_is_a_guest_s_unless_it_says_whose() -> None:
    assert (await name_of()).startswith("Guest-")


async def test_a_user_comes_by_a_session(alice: User) -> None:
    assert await name_of(user=alice) == "alice"


async def test_a_session_cookie_is_called_as_the_site_says(alice: User, settings: Settings) -> None:
    settings.SESSION_COOKIE_NAME = "crumb"
    assert (await session_cookie(alice)).startswith("crumb=")
    assert await name_of(user=alice) == "alice"


async def test_a_secret_is_a_bearer_token(secret: str) -> None:
    assert await name_of(secret=secret) == "alice"


async def test_a_header_may_be_another_or_left_out(alice: User, secret: str) -> None:
    assert await name_of(user=alice, headers={"cookie": None}) != "alice"
    assert await name_of(headers={"authorization": f"Bearer {secret}"}) == "alice"


async def test_the_application_is_the_site_s_unless_the_test_has_its_own() -> None:
    async with connect("/ws/echo/") as socket:
        await socket.send("Hello")
        assert await socket.frame() == "Hello"
    assert get_default_application() is not APPLICATION
    with pytest.raises(HandshakeRefused):
        await connect("/parrot/").__aenter__()


async def test_a_refused_handshake_says_its_status_and_headers() -> None:
    with pytest.raises(HandshakeRefused) as refused:
        await connect("/ws/nowhere/").__aenter__()
    assert refused.value.status == 404
    assert isinstance(refused.value.headers, dict)


# What is said.


async def test_frames_come_as_they_are() -> None:
    async with parrot() as socket:
        for frame in ("text", b"\x00bytes", ""):
            await socket.send(frame)
            assert await socket.frame() == frame


async def test_a_command_comes_back_as_an_event() -> None:
    async with parrot() as socket:
        await socket.command("shout", type="echo")
        assert await socket.event() == {"action": "shout", "type": "echo"}


async def test_next_passes_over_what_is_something_else() -> None:
    async with parrot() as socket:
        await socket.send("count")
        assert (await socket.next("number", number=3))["number"] == 3


async def test_before_is_everything_up_to_an_event() -> None:
    async with parrot() as socket:
        await socket.send("count")
        await socket.command("end", type="end")
        assert [event["type"] for event in await socket.before("end")] == ["number", "number", "number", "end"]


async def test_what_is_no_error_is_none() -> None:
    async with parrot() as socket:
        await socket.command("x", type="error", code="invalid")
        assert (await socket.error())["code"] == "invalid"
        await socket.command("x", type="other")
        with pytest.raises(AssertionError):
            await socket.error()


async def test_silence_is_told() -> None:
    async with parrot() as socket:
        assert await socket.silent()
        await socket.send("noise")
        assert not await socket.silent()


# How it ends.


async def test_a_close_has_a_code_and_a_reason() -> None:
    async with parrot() as socket:
        await socket.send("bye")
        assert await socket.closed() == (1000, "as you wish")


async def test_closed_takes_nothing_else_for_a_close_and_ended_passes_over_it() -> None:
    async with parrot() as socket:
        await socket.send("not yet")
        with pytest.raises(AssertionError):
            await socket.closed()
        await socket.send("count")
        await socket.send("bye")
        assert await socket.ended() == (1000, "as you wish")


async def test_a_frame_is_no_close() -> None:
    async with parrot() as socket:
        await socket.send("bye")
        with pytest.raises(AssertionError):
            await socket.frame()


async def test_the_socket_is_gone_after_its_block() -> None:
    async with parrot():
        assert current_hub().sockets.total == 1
    assert current_hub().sockets.total == 0


async def test_what_an_application_raises_reaches_the_test() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        raise ZeroDivisionError("oh")

    with pytest.raises(ZeroDivisionError):
        async with connect("/", application=broken):
            pass


# Waiting, and what is left.


async def test_until_waits_for_others() -> None:
    found: list[int] = []
    asyncio.get_running_loop().call_later(0.01, found.append, 1)
    await until(lambda: found)
    assert found == [1]


async def test_until_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "SECONDS", 0.01)
    with pytest.raises(TimeoutError):
        await until(lambda: False)


async def test_tidy_leaves_no_hub_no_thread_and_no_task(alice: User) -> None:
    tasks = asyncio.all_tasks()
    async with connect("/ws/chat/lobby/", user=alice) as socket:
        await socket.ended()
    await db.run(User.objects.count)
    await tidy()
    assert hubs.running() == []
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("chorus-")]
    await until(lambda: asyncio.all_tasks() == tasks)


async def test_a_test_after_tidying_may_begin_again() -> None:
    for _ in range(2):
        assert (await name_of()).startswith("Guest-")
        await tidy()
