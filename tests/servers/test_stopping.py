"""A server that is told to stop finishes, says when to come back, and leaves no hole behind."""

import asyncio
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.processes import Server, redis_server
from tests.servers.clients import Member, Site, closed, member, users_in
from tests.servers.raw import TEXT, frame, open_raw


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A database and a Redis of the test's own."""
    with redis_server() as redis:
        yield Site({"REDIS_URL": redis.url}, tmp_path, redis)


@pytest.fixture
def stopping(request: pytest.FixtureRequest, site: Site) -> Iterator[Server]:
    """A server that is to be stopped, with as many workers as its parameter says."""
    with site.serve(workers=getattr(request, "param", 1)) as server:
        yield server


@pytest.fixture
def staying(site: Site) -> Iterator[Server]:
    """Another one of the same site."""
    with site.serve() as server:
        yield server


@pytest.mark.parametrize("stopping", [1, 2], indirect=True, ids="{} worker(s)".format)
async def test_sigterm_ends_with_0_and_tells_clients_when_to_come_back(stopping: Server) -> None:
    async with member(stopping, "alice") as alice, member(stopping, "bob") as bob, member(stopping) as guest:
        farewells = asyncio.gather(*(closed(one.socket) for one in (alice, bob, guest)))
        assert await asyncio.to_thread(stopping.terminate) == 0
    for code, reason in await farewells:
        assert code == 1012
        assert re.fullmatch(r"retry_after=\d+\.\d", reason)
    assert len({reason for _, reason in await farewells}) > 1, "not everybody comes back at the same moment"


async def test_ctrl_c_ends_with_0_and_nothing_listens_any_more(stopping: Server) -> None:
    async with member(stopping):
        assert await asyncio.to_thread(stopping.terminate, signal.SIGINT) == 0
    with pytest.raises(ConnectionRefusedError):
        await connect(f"{stopping.ws}/ws/echo/")


async def test_who_resumes_after_a_restart_has_no_hole(stopping: Server) -> None:
    async with member(stopping, "alice") as alice, member(stopping, "bob") as bob:
        await alice.talk(3)
        last = await bob.hear("2 of 3")
        await asyncio.to_thread(stopping.terminate)
    stopping.start()
    async with member(stopping, "alice") as alice:
        await alice.talk(2)
        async with member(stopping, "bob", since=last["seq"], epoch=bob.joined["epoch"]) as again:
            assert again.joined["recovered"] is True
            assert again.joined["epoch"] == bob.joined["epoch"]
            assert [event["seq"] for event in again.said] == [3, 4, 5]
            assert (await again.say("back"))["seq"] == 6


async def test_what_was_received_is_finished_and_what_was_acknowledged_is_kept(stopping: Server) -> None:
    async with member(stopping, "alice") as alice, member(stopping, "bob") as bob:
        for number in range(50):
            await alice.send("send", text=f"{number}", id=f"{number}")
        await bob.hear("0")
        await asyncio.gather(asyncio.to_thread(stopping.terminate), closed_member(alice), closed_member(bob))
    acknowledged = [event["id"] for event in alice.said]
    stopping.start()
    async with member(stopping, "alice") as again:
        assert again.joined["seq"] >= len(acknowledged)
        await again.send("history", limit=300)
        kept = [event["id"] for event in (await again.next("history"))["messages"]]
    assert kept[: len(acknowledged)] == acknowledged
    assert kept == sorted(kept, key=int), "what was received last may be missing, nothing in between"


async def closed_member(one: Member) -> None:
    """Hear a member out to the end."""
    with pytest.raises(ConnectionClosed):
        await one.next("nothing of that kind")


async def test_a_restart_shows_nobody_leaving(stopping: Server, staying: Server) -> None:
    async with member(staying, "alice") as alice:
        async with member(stopping, "bob"):
            await alice.next("system", event="join")
            await asyncio.to_thread(stopping.terminate)
        await users_in(staying, "lobby", "alice", "bob")
        stopping.start()
        async with member(stopping, "bob") as bob:
            await bob.say("still here")
            await alice.hear("still here")
    doors = [event["message"] for event in alice.heard if event["type"] == "system"]
    assert [message for message in doors if message.startswith("bob")] == ["bob joined the chat"]


async def test_a_client_that_reads_nothing_does_not_hold_up_the_end(stopping: Server) -> None:
    with open_raw(stopping, "/ws/echo/", receive_buffer=4096) as client:
        client.send_until_stuck(frame(TEXT, b"y" * 9000))
        assert await asyncio.to_thread(stopping.terminate) == 0
