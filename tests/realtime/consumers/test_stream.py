"""What the sockets of one stream share. Rooms stand for all streams; tests/chat has what they say."""

from contextlib import AsyncExitStack

import pytest
from django.contrib.auth.models import User

from chat.models import Room
from realtime import db
from realtime.access import AccessLevel, Identity, Rights
from realtime.hub.hub import current_hub
from realtime.testing import connect, until

pytestmark = pytest.mark.django_db(transaction=True)
LOBBY = "/ws/chat/lobby/"
GUEST = Identity.of_guest("somebody")


async def test_rights_that_time_has_changed_are_looked_at_again(
    lobby: Room, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        await db.run(lambda: Room.objects.filter(pk=lobby.pk).update(member_access=AccessLevel.READ))
        monkeypatch.setattr(Rights, "stale", True)
        await socket.command("send", text="hi")
        await socket.next("rights", write=False)
        assert (await socket.error())["code"] == "forbidden"


async def test_a_socket_is_in_the_stream_that_it_was_let_into(lobby: Room) -> None:
    async with AsyncExitStack() as stack:
        socket = await stack.enter_async_context(connect(LOBBY))
        await socket.next("joined")
        [consumer] = current_hub().sockets
        assert consumer.reads() == {lobby.key}
        refused = await stack.enter_async_context(connect("/ws/chat/nowhere/"))
        await refused.ended()
        await until(lambda: len(list(current_hub().sockets)) == 1)
