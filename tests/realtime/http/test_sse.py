"""Topics as server-sent events, read from a real server."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from notifications.models import Topic
from realtime import db
from realtime.consumers.following import BEHIND_SECONDS
from realtime.hub.hub import current_hub
from tests.ask import ask
from tests.processes import TOKENS, Server, serve
from tests.realtime.http.event_stream import ALERTS, SECONDS, reading


async def publish(server: Server, *messages: str, topic: str = "alerts", who: str = "alice") -> None:
    """Publish as curl does, and wait until it is committed."""
    for message in messages:
        lines, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = f"Host: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {TOKENS[who]}\r\nConnection: close\r\n"
        body = message.encode()
        request = f"POST /api/notifications/{topic}/ HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n"
        writer.write(request.encode() + body)
        answer = await lines.read()
        assert answer.startswith(b"HTTP/1.1 201"), answer
        writer.close()


async def connections(server: Server) -> int:
    """How many sockets and streams the server has open."""
    lines, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    answer = await lines.read()
    writer.close()
    found: int = json.loads(answer.partition(b"\r\n\r\n")[2])["connections"]
    return found


async def until_alone(server: Server) -> None:
    """Wait until the server has no stream open any more."""
    async with asyncio.timeout(SECONDS):
        while await connections(server):  # noqa: ASYNC110 - another process cannot set an event
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A site with nothing configured but a small outbox, and haste allowed."""
    with serve({"CHORUS_OUTBOX_BYTES": "50000", "CHORUS_COMMAND_RATE": "0"}) as running:
        yield running
        assert "Traceback" not in running.log


async def test_what_is_published_is_told_at_once(server: Server) -> None:
    async with reading(server) as reader:
        assert reader.headers["content-type"] == "text/event-stream"
        assert (await reader.next()).type == "subscribed"
        await publish(server, "Disk full")
        told = await reader.next()
        assert told.type == told.data["type"] == "notification"
        assert told.data["message"] == "Disk full"
        assert told.id == reader.last_id != ""


async def test_a_reader_resumes_after_the_last_event_without_hole_or_double(server: Server) -> None:
    async with reading(server) as reader:
        await reader.next()
        await publish(server, "one", "two")
        assert await reader.messages(1) == ["one"]
        last = reader.last_id
    await publish(server, "three")
    async with reading(server, Last_Event_ID=last) as reader:
        assert (await reader.next()).data["streams"]["alerts"]["recovered"] is True
        assert await reader.messages(2) == ["two", "three"]
        await publish(server, "four")
        assert await reader.messages(1) == ["four"]


async def test_a_reader_of_several_topics_resumes_in_each(server: Server) -> None:
    path = "/api/notifications/stream?topics=first,second"
    async with reading(server, path) as reader:
        await reader.next()
        await publish(server, "a1", topic="first")
        assert await reader.messages(1) == ["a1"]
        last = reader.last_id
    await publish(server, "b1", topic="second")
    await publish(server, "a2", topic="first")
    async with reading(server, path, Last_Event_ID=last) as reader:
        await reader.next()
        assert sorted(await reader.messages(2)) == ["a2", "b1"]


async def test_history_comes_first_then_what_is_new(server: Server) -> None:
    await publish(server, *[str(number) for number in range(60)], topic="old")
    async with reading(server, "/api/notifications/old/stream?since=0") as reader:
        await reader.next()
        await publish(server, "60", topic="old")
        assert await reader.messages(61) == [str(number) for number in range(61)]


async def test_nothing_is_lost_while_a_reader_joins(server: Server) -> None:
    async with reading(server, "/api/notifications/busy/stream") as reader:
        last = (await reader.next()).id
        assert last is not None
    publishing = asyncio.create_task(publish(server, *[str(number) for number in range(40)], topic="busy"))
    got: list[str] = []
    while len(got) < 40:
        async with reading(server, "/api/notifications/busy/stream", Last_Event_ID=last) as reader:
            await reader.next()
            got += await reader.messages(min(5, 40 - len(got)))
            last = reader.last_id
    await publishing
    assert got == [str(number) for number in range(40)]


async def test_a_reader_is_a_recipient_until_they_are_gone(server: Server) -> None:
    await until_alone(server)
    async with reading(server) as reader:
        await reader.next()
        assert await connections(server) == 1
    await until_alone(server)


async def test_who_goes_before_the_first_event_leaves_nothing_behind(server: Server) -> None:
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(f"GET {ALERTS} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        await writer.drain()
        writer.close()
    await until_alone(server)


async def test_a_person_reads_what_is_theirs(server: Server) -> None:
    bearer = f"Bearer {TOKENS['bob']}"
    async with reading(server, "/api/notifications/@bob/stream", Authorization=bearer) as reader:
        assert "me" in (await reader.next()).data["streams"]
        await publish(server, "for you", topic="@bob", who="root")
        assert await reader.messages(1) == ["for you"]
        assert reader.last_id.startswith("me=1.")


async def test_a_reader_who_does_not_read_is_hung_up_on(server: Server) -> None:
    await until_alone(server)
    async with reading(server, "/api/notifications/big/stream") as reader:
        reader.lines._transport.pause_reading()  # type: ignore[attr-defined]  # noqa: SLF001
        async with asyncio.timeout(4 * BEHIND_SECONDS):  # it is not fed for ever
            while await connections(server):
                await publish(server, *["x" * 10_000] * 10, topic="big")
        reader.lines._transport.resume_reading()  # type: ignore[attr-defined]  # noqa: SLF001
        assert not await reader.ended()  # it breaks off, so that a browser comes back


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/notifications/me/stream", 401),
        ("/api/notifications/nowhere/stream", 404),
        ("/api/notifications/-/stream", 400),
        ("/api/notifications/stream?topics=", 400),
        ("/api/notifications/stream?topics=me,alerts", 401),
        (f"/api/notifications/stream?topics={','.join(map(str, range(200)))}", 400),
    ],
)
@pytest.mark.django_db(transaction=True)
async def test_what_cannot_be_subscribed_to_is_an_answer_and_no_stream(path: str, status: int) -> None:
    answer = await ask("GET", path)
    assert answer.status == status
    assert answer.json["type"] == "error"


@pytest.mark.django_db(transaction=True)
async def test_a_reader_counts_among_one_s_connections(alice: User, secret: str, settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_USER = 1
    await db.run(Topic.objects.create, name="alerts")
    first = await ask("GET", ALERTS, secret=secret)
    assert (await ask("GET", ALERTS, secret=secret)).error == (429, "rate_limited")
    first.response.close()


@pytest.mark.django_db(transaction=True)
async def test_a_full_process_takes_no_reader(settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_PROCESS = 1
    current_hub().sockets.total = 1
    answer = await ask("GET", ALERTS)
    assert answer.error == (503, "unavailable")
    assert "Retry-After" in answer.response


@pytest.mark.django_db(transaction=True)
async def test_a_made_up_id_is_refused() -> None:
    assert (await ask("GET", ALERTS, headers={"Last-Event-ID": "12"})).error == (400, "invalid")
