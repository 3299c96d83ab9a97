"""One socket's way with one stream: of several beginnings only the latest sends."""

from typing import Any

import pytest

from chat.models import Room
from realtime.access import Identity
from realtime.consumers.following import Following
from realtime.consumers.socket import SocketConsumer
from realtime.hub.hub import current_hub
from realtime.hub.outbox import QueuedOutbox
from realtime.streams.batch import Stored
from realtime.testing import until
from tests.followed import followed
from tests.realtime.listening import write

pytestmark = pytest.mark.django_db(transaction=True)
ALICE, BOB = Identity("user:1", "alice"), Identity("user:2", "bob")


class Reader:
    """A socket that follows a room, and what it is sent as entries come."""

    def __init__(self, room: Room) -> None:
        self.sent: list[Any] = []
        self.socket = SocketConsumer()
        self.socket.hub = current_hub()
        self.socket.identity = ALICE
        self.socket.outbox = QueuedOutbox(self._send, lambda: None)
        self.resets = 0
        self.following = Followed(self, room)

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message["text"])

    async def begin(self, since: int | None = None) -> tuple[int, Any]:
        beginning = self.following.begin()
        return beginning, await self.following.live.locate(since, self.following.live.epoch)

    async def missed(self, beginning: int, start: Any) -> list[int]:
        first: list[Stored] = start.events
        return [entry.seq async for page in self.following.missed(beginning, start, first) for entry in page]


class Followed(Following):
    """A reader's way with its room, which counts how often it has to begin anew."""

    def __init__(self, reader: Reader, room: Room) -> None:
        super().__init__(reader.socket, room)
        self.reader = reader

    def reset(self) -> None:
        self.reader.resets += 1


@pytest.fixture
async def reader(lobby: Room) -> Reader:
    made = Reader(lobby)
    await made.following.attach()
    return made


async def test_who_begins_gets_what_was_said_and_is_up_to_date(lobby: Room, reader: Reader) -> None:
    await write(lobby, "a", "b")
    assert await reader.missed(*await reader.begin()) == [1, 2]
    assert reader.following.caught_up
    current_hub().committed(await write(lobby, "c"))
    await until(lambda: len(reader.sent) == 1)


async def test_what_commits_before_it_is_through_is_held_back_and_not_lost(lobby: Room, reader: Reader) -> None:
    beginning, start = await reader.begin()
    current_hub().committed(await write(lobby, "meanwhile"))
    assert not reader.following.caught_up
    assert await reader.missed(beginning, start) == [1]
    assert reader.sent == []


async def test_of_two_beginnings_the_later_one_sends(lobby: Room, reader: Reader) -> None:
    await write(lobby, "a")
    earlier, later = await reader.begin(), await reader.begin()
    assert await reader.missed(*earlier) == []
    assert not reader.following.caught_up
    assert await reader.missed(*later) == [1]


async def test_a_later_beginning_takes_over_between_two_pages(
    lobby: Room, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.streams.replay.ENTRIES_BYTES", 10)  # a page for each entry
    await write(lobby, "a", "b")
    beginning, start = await reader.begin()
    pages = []
    async for page in reader.following.missed(beginning, start, start.events):
        pages.append([entry.seq for entry in page])
        reader.following.begin()
    assert pages == [[1]]


async def test_nothing_is_sent_to_who_left(lobby: Room, reader: Reader) -> None:
    await write(lobby, "a")
    begun = await reader.begin()
    reader.following.leave()
    assert await reader.missed(*begun) == []
    assert lobby.key.replace(":", ".") not in followed()


async def test_a_reset_is_told_to_begin_anew(lobby: Room, reader: Reader) -> None:
    await reader.missed(*await reader.begin())
    reader.following.live._reset()  # noqa: SLF001 - as a repair does that finds another epoch
    assert (reader.resets, reader.following.caught_up) == (1, False)


async def test_who_logs_in_is_present_once_under_the_new_name(reader: Reader) -> None:
    presence, group = current_hub().presence, reader.following.group
    await reader.following.be_present(lambda _: None)
    await reader.following.be_present(lambda _: None)
    assert presence.users(group).names == ["alice"]
    reader.socket.identity = BOB
    await reader.following.be_present(lambda _: None)
    assert presence.connections(group) == 1
    reader.following.leave()
    reader.following.leave()
    assert presence.connections(group) == 0
