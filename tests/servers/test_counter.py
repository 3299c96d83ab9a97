"""Counters on real servers: two processes that share a database and a Redis count as one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

from websockets.asyncio.client import connect

from tests.processes import Server
from tests.servers.clients import Event, Member, bearer

Pair = tuple[Server, Server]
CLIENTS = 20
CLICKS = 20


@asynccontextmanager
async def page(server: Server, counter: str = "", person: str | None = None) -> AsyncIterator[Member]:
    """A page that shows a counter, from its first `state` on."""
    address = f"{server.ws}/ws/counter/{counter}{'/' if counter else ''}"
    async with connect(address, additional_headers=bearer(person) if person else None) as socket:
        shown = Member(socket)
        await shown.next("state")
        yield shown


def told(page: Member, type: str) -> list[Event]:
    """Events of one type that have come."""
    return [event for event in page.heard if event["type"] == type]


async def test_a_tutorial_page_never_meets_a_type_that_it_does_not_know(pair: Pair) -> None:
    """Its `switch` on `type` knows `users` and `state`; it counts clicks of others and its own."""
    first, second = pair
    async with page(first) as tutorial:
        assert [event["type"] for event in tutorial.heard] == ["users", "state"]
        async with page(second, person="alice") as other:
            before = other.heard[-1]["value"]
            for action in ("plus", "plus", "minus"):
                await tutorial.send(action)
                await other.send(action, id=str(uuid4()))
            for shown in (tutorial, other):
                await shown.next("state", value=before + 2)
        await tutorial.next("users", count=1)
        await tutorial.send("add", delta=5)
        await tutorial.next("state", value=before + 7)
    assert {event["type"] for event in tutorial.heard} == {"users", "state"}


async def test_plus_minus_and_add_cross(pair: Pair) -> None:
    first, second = pair
    async with page(first, "crossing") as here, page(second, "crossing") as there:
        clicks: tuple[tuple[str, dict[str, int], int], ...] = (
            ("plus", {}, 1),
            ("minus", {}, 0),
            ("add", {"delta": 5}, 5),
            ("add", {"delta": -7}, -2),
        )
        for action, fields, value in clicks:
            await here.send(action, **fields)
            assert await here.next("state") == await there.next("state", value=value)


async def test_users_are_counted_over_both_within_a_second(pair: Pair) -> None:
    first, second = pair
    async with page(first, "crowd") as here:
        await here.next("users", count=1)
        async with asyncio.timeout(1):
            opened = await connect(f"{second.ws}/ws/counter/crowd/").__aenter__()
            assert json.loads(await opened.recv()) == {"type": "users", "count": 2}
            await here.next("users", count=2)
        await asyncio.sleep(0.6)  # a share is written twice a second at most
        async with asyncio.timeout(1):
            await opened.close()
            await here.next("users", count=1)


async def test_the_sum_of_what_many_press_is_the_value_and_all_see_it(pair: Pair) -> None:
    """20 clients × 20 clicks on two processes; those with ids are acknowledged, each once."""
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(page(pair[number % 2], "sum")) for number in range(CLIENTS)]

        async def press(shown: Member, delta: int) -> int:
            for _ in range(CLICKS):
                own = str(uuid4())
                await shown.send("add", delta=delta, id=own)
                await shown.next("ack", id=own)
            return delta * CLICKS

        deltas = [(number + 1) * (-1) ** number for number in range(CLIENTS)]
        sums = await asyncio.gather(*map(press, pages, deltas))
        last = {"type": "state", "value": sum(sums), "version": CLIENTS * CLICKS}
        for shown in pages:
            if last not in shown.heard:
                await shown.next("state", version=last["version"])
        for shown in pages:
            versions = [event["version"] for event in told(shown, "state")]
            assert versions == sorted(set(versions))
            assert told(shown, "state")[-1] == last
        acked = [event["version"] for shown in pages for event in told(shown, "ack")]
        assert sorted(acked) == list(range(1, CLIENTS * CLICKS + 1))


async def test_clicks_without_ids_are_all_counted_too(pair: Pair) -> None:
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(page(pair[number % 2], "clicks")) for number in range(CLIENTS)]
        for _ in range(CLICKS):
            for shown in pages:
                await shown.send("plus")
        for shown in pages:
            assert (await shown.next("state", value=CLIENTS * CLICKS))["version"] == CLIENTS * CLICKS


async def test_a_repeated_id_counts_once_also_in_the_other_process(pair: Pair) -> None:
    first, second = pair
    async with page(first, "twins", "alice") as here, page(second, "twins", "alice") as there:
        for number in range(1, 11):
            own = str(uuid4())
            for shown in (here, there):
                await shown.send("plus", id=own)
            acks = [await shown.next("ack", id=own) for shown in (here, there)]
            assert sorted(ack.pop("duplicate", False) for ack in acks) == [False, True]
            assert acks[0] == acks[1]
            assert acks[0]["value"] == number


async def test_a_counter_outlives_its_visitors(pair: Pair) -> None:
    first, second = pair
    async with page(first, "kept") as here:
        await here.send("add", delta=42, id="1")
        ack = await here.next("ack")
    async with page(second, "kept") as there:
        assert there.heard[-1] == {"type": "state", "value": 42, "version": ack["version"]}


async def test_a_counter_first_opened_on_both_at_once_is_one_counter(pair: Pair) -> None:
    async def press(server: Server, name: str) -> None:
        async with page(server, name) as shown:
            await shown.send("plus", id=str(uuid4()))
            await shown.next("ack")

    for name in ("new-1", "new-2", "new-3"):
        await asyncio.gather(*(press(server, name) for server in pair))
        async with page(pair[0], name) as shown:
            assert shown.heard[-1]["value"] == 2
