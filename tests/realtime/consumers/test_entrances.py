"""Sockets that enter at the same moment are looked up together. Rooms stand for all streams."""

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import User

from chat.models import Room
from realtime import db
from realtime.access import AccessLevel, Identity
from realtime.consumers.entrances import Entrance, entrances
from realtime.protocol import CloseCode, Refused

pytestmark = pytest.mark.django_db(transaction=True)
GUEST = Identity.of_guest("somebody")


async def test_a_crowd_that_enters_at_once_is_looked_up_together(lobby: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    work = db.run

    async def counting(function: Any, keys: list[Any]) -> Any:
        asked.append(len(keys))
        return await work(function, keys)

    monkeypatch.setattr(db, "run", counting)
    guests = [Identity.of_guest(str(number)) for number in range(20)]
    found = await asyncio.gather(*[entrances.get(Entrance(Room, "lobby", guest)) for guest in guests])
    assert all(isinstance(each, tuple) and each[0] == lobby for each in found)
    assert sum(asked) == 20
    assert len(asked) <= 2


async def test_each_of_a_crowd_is_answered_by_their_own_rights(lobby: Room, alice: User) -> None:
    await db.run(Room.objects.update, guest_access=AccessLevel.NONE)
    member = Identity.of_user(alice)
    found = await asyncio.gather(*[entrances.get(Entrance(Room, "LOBBY", each)) for each in (GUEST, member)])
    rights = [each[1] for each in found if isinstance(each, tuple)]
    assert [each.read is None for each in rights] == [False, True]


async def test_what_is_no_stream_is_refused_and_nobody_else_is() -> None:
    found = await asyncio.gather(*[entrances.get(Entrance(Room, name, GUEST)) for name in ("a b", "nowhere")])
    assert [each.close for each in found if isinstance(each, Refused)] == [CloseCode.BAD_NAME, CloseCode.NO_SUCH_STREAM]
