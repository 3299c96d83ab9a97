"""What admin and other code tell the open sockets of every process."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from pytest_django import Settings

from accounts.models import Token
from chat.models import Message, Room
from realtime import db
from realtime.connections.control import CONTROL, disconnect, look_again
from realtime.hub.hub import current_hub
from realtime.protocol import CloseCode
from realtime.testing import Socket, connect, until
from tests.realtime.told import LAYERS, control

pytestmark = pytest.mark.django_db(transaction=True)

Here = dict[str, Any]
ALICE = {"alice in lobby", "alice in den", "alice's token", "alice at echo"}


@pytest.fixture
async def here(lobby: Room, alice: User, bob: User, secret: str) -> AsyncIterator[Here]:
    """This process's end of some sockets, by who and where."""
    await db.run(Room.objects.create, name="den", guest_access="write")
    found: Here = {}
    async with AsyncExitStack() as stack:
        for name, path, credentials in (
            ("alice in lobby", "/ws/chat/lobby/", {"user": alice}),
            ("alice in den", "/ws/chat/den/", {"user": alice}),
            ("alice's token", "/ws/chat/lobby/", {"secret": secret}),
            ("alice at echo", "/ws/echo/", {"user": alice}),
            ("bob", "/ws/chat/lobby/", {"user": bob}),
            ("guest", "/ws/chat/lobby/", {}),
        ):
            socket = await stack.enter_async_context(connect(path, **credentials))
            if "echo" not in name:
                await socket.next("joined")
            (found[name],) = set(current_hub().sockets) - set(found.values())
            found[name].client = socket
        yield found


def told_to_go(here: Here) -> set[str]:
    """Those whose end has begun, as of now."""
    return {name for name, consumer in here.items() if consumer._ended is not None}  # noqa: SLF001 - the moment it is said


async def kicked(here: Here, **which: Any) -> set[str]:
    """Who has to go."""
    await db.run(disconnect, "out", **which)
    await until(lambda: told_to_go(here))
    return told_to_go(here)


async def test_a_connection(here: Here) -> None:
    assert await kicked(here, connection=here["bob"].id) == {"bob"}


async def test_a_user_with_all_their_tokens(here: Here, alice: User) -> None:
    assert await kicked(here, user=alice.pk) == ALICE


async def test_a_token(here: Here, token: Token) -> None:
    assert await kicked(here, token=token.pk) == {"alice's token"}


async def test_a_room(here: Here, lobby: Room) -> None:
    assert await kicked(here, stream=lobby.key) == {"alice in lobby", "alice's token", "bob", "guest"}


async def test_a_user_in_a_room(here: Here, lobby: Room, alice: User) -> None:
    assert await kicked(here, stream=lobby.key, user=alice.pk) == {"alice in lobby", "alice's token"}


async def test_a_guest(here: Here) -> None:
    assert await kicked(here, identity=here["guest"].identity.key) == {"guest"}


async def test_a_topic_closes_who_follows_it(alice: User) -> None:
    async with connect("/ws/notifications/", user=alice) as socket:
        await socket.command("subscribe", topics=["me"])
        await socket.next("subscribed")
        (consumer,) = current_hub().sockets
        (key,) = consumer.reads()
        await db.run(disconnect, "out", stream=key)
        assert await socket.closed() == (4503, "out")


def test_which_sockets_has_to_be_said() -> None:
    with pytest.raises(ValueError, match="which sockets"):
        disconnect("out")


async def test_a_kick_has_a_code_and_a_reason(here: Here) -> None:
    await db.run(disconnect, "breathe", connection=here["bob"].id, code=CloseCode.RATE)
    assert await here["bob"].client.ended() == (4003, "breathe")


async def test_nothing_is_taken_from_who_was_told_to_go(here: Here) -> None:
    socket: Socket = here["bob"].client
    await kicked(here, connection=here["bob"].id)
    await socket.command("send", text="one more thing")
    await socket.disconnect()
    await here["alice in lobby"].client.command("send", text="good")
    await here["alice in lobby"].client.next("chat")
    assert await db.run(lambda: [message.text for message in Message.objects.all()]) == ["good"]


async def test_nothing_is_told_to_who_was_told_to_go(here: Here) -> None:
    await kicked(here, connection=here["bob"].id)
    here["bob"].push(None)  # it would fail
    assert (await here["bob"].client.ended())[0] == 4503


async def test_what_another_process_says_is_done(here: Here, lobby: Room) -> None:
    kick = {"t": "kick", "matches": {"connection": here["guest"].id}, "code": 4503, "reason": "out"}
    current_hub().bus._take(CONTROL, kick)  # noqa: SLF001 - where the layer's messages arrive
    assert told_to_go(here) == {"guest"}


# Who is told, and when.


@pytest.fixture
def _heard(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = LAYERS
    control()


@pytest.mark.usefixtures("_heard")
def test_the_others_are_told_which_sockets() -> None:
    disconnect("out", user=7, stream="chat.room:5")
    matches = {"user": "7", "stream": "chat.room:5"}
    assert control() == [{"t": "kick", "matches": matches, "code": 4503, "reason": "out", "v": 1}]


@pytest.mark.usefixtures("_heard")
async def test_a_server_tells_the_others_what_it_was_asked() -> None:
    async with connect("/ws/echo/"):
        await db.run(look_again, users=[7], streams=["chat.room:5"])
        asked = {"t": "review", "users": ["7"], "streams": ["chat.room:5"], "everyone": False, "v": 1}
        await until(lambda: control() == [asked])


@pytest.mark.usefixtures("_heard")
@pytest.mark.parametrize("tell", [lambda: look_again(everyone=True), lambda: disconnect("out", user=7)])
def test_it_is_told_after_the_commit_or_never(tell: Callable[[], None]) -> None:
    with transaction.atomic():
        tell()
        assert not control()
    assert len(control()) == 1
    with transaction.atomic():
        tell()
        transaction.set_rollback(True)
    assert not control()
