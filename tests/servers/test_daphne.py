"""`daphne config.asgi:application` serves every route; docs/architecture.md says what it cannot promise."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.processes import TOKENS, Server, daphne
from tests.servers.clients import bearer, closed, log_in_with_browser, member


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The site with nothing configured, under Daphne."""
    with daphne({"CHORUS_LOGIN_TIMEOUT": "1"}) as running:
        yield running


async def test_echo(server: Server) -> None:
    async with connect(f"{server.ws}/ws/echo/?prefix=Echo:%20") as ws:
        for sent, answer in (("Hello", "Echo: Hello"), (b"\x00\xff", b"\x00\xff"), ("", "Echo: ")):
            await ws.send(sent)
            assert await ws.recv() == answer
        await ws.send("x" * 10_001)
        assert await ws.recv() == "Error: Message too long (max 10000 chars)"


async def test_greet(server: Server) -> None:
    async with connect(f"{server.ws}/ws/greet/") as ws:
        await ws.send("Ada")
        assert await ws.recv() == "Hello Ada!"
        assert (await closed(ws))[0] == 1000


async def test_time(server: Server) -> None:
    async with connect(f"{server.ws}/ws/time/?every=0.1") as ws:
        assert all([str(await ws.recv()).endswith("Z") for _ in range(3)])


async def test_broadcast(server: Server) -> None:
    address = f"{server.ws}/ws/broadcast/"
    async with connect(address) as one, connect(address) as two, connect(address) as three:
        for number in range(20):
            await one.send(f"{number}")
        for ws in (one, two, three):
            assert [await ws.recv() for _ in range(20)] == [f"{number}" for number in range(20)]


async def test_relay(server: Server) -> None:
    async with connect(f"{server.ws}/ws/relay/") as one, connect(f"{server.ws}/ws/relay/") as two:
        await one.send("hi")
        assert await two.recv() == "Someone said: hi"


async def test_login_by_message_by_bearer_and_by_cookie(server: Server) -> None:
    address = f"{server.ws}/ws/secure-echo/"
    cookie = await asyncio.to_thread(log_in_with_browser, server, "alice")
    for headers in ({}, bearer("alice"), {"Cookie": cookie, "Origin": server.http}):
        async with connect(address, additional_headers=headers) as ws:
            if not headers:
                await ws.send(json.dumps({"token": TOKENS["alice"]}))
                assert json.loads(await ws.recv())["status"] == "ok"
            await ws.send("hi")
            assert await ws.recv() == "[alice] hi"


async def test_a_login_that_fails_or_does_not_come(server: Server) -> None:
    for first, message in (('{"token": "wrong"}', "Invalid token"), (None, "Authentication timeout")):
        async with connect(f"{server.ws}/ws/secure-echo/") as ws:
            if first is not None:
                await ws.send(first)
            assert json.loads(await ws.recv())["message"] == message
            assert (await closed(ws))[0] == 1000  # Daphne cannot send 1008


async def test_an_exchange_in_a_room(server: Server) -> None:
    async with member(server, "alice") as alice, member(server, "bob") as bob:
        assert (await alice.next("system", event="join"))["message"] == "bob joined the chat"
        said = await alice.say("under Daphne")
        assert await bob.hear("under Daphne") == said
        await bob.send("typing")
        await alice.next("typing", sender="bob")
        await alice.send("delete", seq=said["seq"], id="1")
        assert (await bob.next("deleted"))["target"] == said["seq"]
    async with member(server, "bob", since=0, epoch=bob.joined["epoch"]) as again:
        assert [entry["seq"] for entry in again.joined["messages"]] == [1, 2]


async def test_an_exchange_at_a_counter(server: Server) -> None:
    address = f"{server.ws}/ws/counter/"
    async with connect(address) as one, connect(address) as two:
        assert [json.loads(await one.recv())["type"] for _ in range(2)] == ["users", "state"]
        await two.send('{"action": "add", "delta": 5, "id": "7"}')
        for ws in (one, two):
            event = json.loads(await ws.recv())
            while event["type"] != "state" or event["version"] == 0:
                event = json.loads(await ws.recv())
            assert event == {"type": "state", "value": 5, "version": 1}
        assert json.loads(await two.recv()) == {"type": "ack", "id": "7", "value": 5, "version": 1}


async def test_an_exchange_of_notifications(server: Server) -> None:
    address = f"{server.ws}/ws/notifications/"
    async with connect(address) as reader, connect(address, additional_headers=bearer("alice")) as publisher:
        await reader.send('{"action": "subscribe", "topics": ["alerts"]}')
        assert json.loads(await reader.recv())["topics"] == ["alerts"]
        await publisher.send('{"action": "publish", "topic": "alerts", "message": "Disk full", "priority": 5}')
        published, told = json.loads(await publisher.recv()), json.loads(await reader.recv())
        assert (published["type"], published["recipients"], published["seq"]) == ("published", 1, 1)
        assert (told["message"], told["priority"], told["sender"]) == ("Disk full", 5, "alice")
        await publisher.send('{"action": "ack", "topic": "alerts", "seq": 1}')
        assert json.loads(await publisher.recv()) == {"type": "acked", "topic": "alerts", "seq": 1}


async def test_a_code_that_browsers_can_read_comes_through(server: Server) -> None:
    async with connect(f"{server.ws}/ws/chat/-bad-/") as ws:
        assert json.loads(await ws.recv())["code"] == "invalid"
        assert (await closed(ws))[0] == 4500


async def test_an_unknown_route_is_refused(server: Server) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{server.ws}/ws/nothing/").__aenter__()
    assert refused.value.response.status_code == 403
