"""The door from synchronous code to the sockets of all processes."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from pytest_django import Settings
from redis.asyncio import Redis

from chat.models import Message, Room
from realtime.connections.control import CONTROL, LookAgain, Who
from realtime.connections.report import Report, Wanted
from realtime.hub.hub import Hub, close_hub, current_hub
from realtime.processes import reach
from realtime.processes.reach import ask, listeners, tell
from realtime.processes.shares import Here, RedisStore, Share
from realtime.streams.batch import Batch, announce
from tests.processes import RedisServer
from tests.realtime.layers import RecordingLayer
from tests.realtime.listening import ALICE

in_threads = pytest.mark.django_db(transaction=True)
NOTICE = LookAgain(["7"], [], everyone=False)
WHO, NOBODY_HERE = Who(matches={}, text=""), Report.of((), Wanted())


@pytest.fixture
def room(transactional_db: None) -> Room:
    return Room.objects.create(name="lobby")


# Telling.


def layer_of(settings: Settings, name: str) -> None:
    RecordingLayer.told = []
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"tests.realtime.layers.{name}"}}


def test_without_a_hub_the_layer_is_told(settings: Settings) -> None:
    layer_of(settings, "RecordingLayer")
    tell(CONTROL, NOTICE)
    [(group, message)] = RecordingLayer.told
    assert (group, message["items"]) == (CONTROL, [NOTICE.to_item()])


def test_a_layer_that_cannot_be_told_fails_nobody(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    layer_of(settings, "BrokenLayer")
    tell(CONTROL, NOTICE)
    assert "the channel layer was not told of chorus.control (OSError)" in caplog.text


def test_whatever_a_layer_raises_fails_nobody(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    layer_of(settings, "OddlyBrokenLayer")
    tell(CONTROL, NOTICE)
    assert "the channel layer was not told of chorus.control (ZeroDivisionError)" in caplog.text


def test_a_layer_that_says_nothing_holds_nobody_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "TELL_SECONDS", 0.01)
    layer_of(settings, "SilentLayer")
    tell(CONTROL, NOTICE)


def test_without_a_server_and_without_a_layer_an_entry_is_told_to_nobody() -> None:
    announce(Batch("chat.room:1", "epoch", 1, 1))


@pytest.fixture
def other_loop() -> Iterator[Hub]:
    """The hub of another event loop in another thread, as of a server beside a shell."""
    made: list[Hub] = []
    ready, stop = threading.Event(), threading.Event()

    async def main() -> None:
        made.append(current_hub())
        ready.set()
        await asyncio.to_thread(stop.wait, 10)
        await close_hub()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    ready.wait(5)
    yield made[0]
    stop.set()
    thread.join()


@in_threads
def test_code_without_a_loop_reaches_the_server_in_its_process(room: Room, other_loop: Hub) -> None:
    done = threading.Event()
    other_loop.tell = lambda group, batch: done.set() if batch.last == 1 else None  # type: ignore[method-assign,assignment,attr-defined]
    room.post(ALICE, "hi")
    assert done.wait(5)
    assert Message.objects.count() == 1


async def test_a_process_without_a_socket_knows_how_many_listen_in_others(redis_site: RedisServer) -> None:
    async with Redis.from_url(redis_site.url) as client:
        await RedisStore(client, "chorus", "another").write(
            "chat.room.1", Share(3, {"user:1": Here("user:1", "alice", "id-alice")})
        )
    assert await asyncio.to_thread(listeners, "chat.room.1") == 3


async def test_a_process_alone_has_nobody_elsewhere() -> None:
    assert await asyncio.to_thread(listeners, "chat.room.1") == 0


async def test_how_many_listen_is_unknown_while_redis_is_away(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert await asyncio.to_thread(listeners, "chat.room.1") is None
    assert "who listens to chat.room.1 is not known" in caplog.text


# Asking.


def test_a_process_alone_answers_for_itself_while_it_serves_no_socket() -> None:
    assert ask(CONTROL, WHO, 60, idle=NOBODY_HERE) == ([NOBODY_HERE], True)


def test_a_server_in_this_process_is_asked(other_loop: Hub) -> None:
    other_loop.answer = lambda question: NOTICE  # type: ignore[method-assign]
    assert ask(CONTROL, WHO, 60, idle=NOBODY_HERE) == ([NOTICE], True)


@pytest.mark.parametrize("name", ["BrokenLayer", "OddlyBrokenLayer"])
def test_it_is_said_where_other_processes_could_not_be_asked(settings: Settings, name: str) -> None:
    layer_of(settings, name)
    assert ask(CONTROL, WHO, 60, idle=NOBODY_HERE) == ([NOBODY_HERE], False)
