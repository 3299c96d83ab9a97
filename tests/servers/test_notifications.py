"""Notifications on real servers: two processes that share a database and a Redis."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import connect

from tests.processes import Server
from tests.servers.clients import Event, Member, Site, bearer, get, log_in_with_browser

Pair = tuple[Server, Server]


@pytest.fixture(scope="module")
def pair(site: Site) -> Iterator[Pair]:
    """Two servers of one site, with a heartbeat every second and room for four topics on a socket."""
    settings = {"CHORUS_HEARTBEAT_INTERVAL": "1", "CHORUS_MAX_TOPICS": "4"}
    lively = replace(site, env={**site.env, **settings})
    with lively.serve() as first, lively.serve() as second:
        yield first, second


@asynccontextmanager
async def client(server: Server, person: str | None = None, *topics: str, **fields: Any) -> AsyncIterator[Member]:
    """A socket, subscribed to some topics; a guest's unless a person of TOKENS is named."""
    address = f"{server.ws}/ws/notifications/"
    async with connect(address, additional_headers=bearer(person) if person else None) as socket:
        one = Member(socket)
        if topics:
            await one.send("subscribe", topics=list(topics), **fields)
            one.joined = await one.next("subscribed")
        yield one


async def publish(sender: Member, topic: str, message: str, **fields: Any) -> Event:
    """Publish and wait for the answer."""
    await sender.send("publish", topic=topic, message=message, **fields)
    return await sender.next("published")


def notifications(reader: Member) -> list[Event]:
    """What came so far."""
    return [event for event in reader.heard if event["type"] == "notification"]


async def refused(sender: Member) -> tuple[str, str]:
    """Code and message of the next error."""
    error = await sender.next("error")
    return error["code"], error["message"]


async def test_a_tutorial_s_subscriber_and_publisher(pair: Pair) -> None:
    """Line by line, as they are written, with only the address changed."""
    first, second = pair
    async with (
        connect(f"{first.ws}/ws/notifications/") as subscriber,
        connect(f"{second.ws}/ws/notifications/") as publisher,
    ):
        await subscriber.send(json.dumps({"action": "subscribe", "topics": ["news", "weather"]}))
        subscribed = json.loads(await subscriber.recv())
        assert (subscribed["type"], subscribed["topics"]) == ("subscribed", ["news", "weather"])
        await publisher.send(json.dumps({"action": "publish", "topic": "weather", "message": "Rain"}))
        published = json.loads(await publisher.recv())
        assert (published["type"], published["topic"], published["recipients"]) == ("published", "weather", 1)
        told = json.loads(await subscriber.recv())
        assert (told["type"], told["topic"], told["message"]) == ("notification", "weather", "Rain")


async def test_recipients_are_the_sockets_of_both_right_after_subscribed(pair: Pair) -> None:
    first, second = pair
    async with client(second, "alice") as publisher, client(first) as here, client(second) as there:
        for number, one in enumerate((here, there, publisher), start=1):
            await one.send("subscribe", topics=["counted"])
            await one.next("subscribed")
            assert (await publish(publisher, "counted", str(number)))["recipients"] == number


async def test_recipients_are_counted_where_nobody_listens(pair: Pair) -> None:
    first, second = pair
    for number in range(5):
        topic = f"elsewhere-{number}"
        async with client(first, None, topic, "another"), client(second, "alice") as publisher:
            assert (await publish(publisher, topic, "Hi"))["recipients"] == 1


async def test_what_both_publish_at_once_comes_to_both_in_one_order(pair: Pair) -> None:
    first, second = pair
    async with client(first, "alice", "busy") as one, client(second, "bob", "busy") as two:

        async def talk(sender: Member) -> None:
            for number in range(25):
                await publish(sender, "busy", str(number), priority=number % 5 + 1)

        await asyncio.gather(talk(one), talk(two))
        for reader in (one, two):
            while len(notifications(reader)) < 50:
                await reader.next("notification")
    seen = [notifications(reader) for reader in (one, two)]
    assert seen[0] == seen[1]
    assert [event["seq"] for event in seen[0]] == list(range(1, 51))


async def test_an_id_used_on_both_at_once_gives_one_notification(pair: Pair) -> None:
    first, second = pair
    async with client(first, "alice", "once") as one, client(second, "alice") as two:
        answers = await asyncio.gather(*(publish(sender, "once", "Hi", id="7") for sender in (one, two)))
        assert {answer["seq"] for answer in answers} == {1}
        assert sorted(answer.get("duplicate", False) for answer in answers) == [False, True]


async def test_who_comes_back_elsewhere_resumes_each_topic_where_it_was(pair: Pair) -> None:
    first, second = pair
    async with client(first, "alice", "left", "right") as one:
        streams = one.joined["streams"]
        for text in ("a", "b"):
            await publish(one, "left", text)
            await publish(one, "right", text)
    since = {
        "left": {"seq": 1, "epoch": streams["left"]["epoch"]},
        "right": {"seq": 0, "epoch": streams["right"]["epoch"]},
    }
    async with client(second, "alice", "left", "right", since=since) as back:
        assert [stream["recovered"] for stream in back.joined["streams"].values()] == [True, True]
        missed = [await back.next("notification") for _ in range(3)]
    assert [(event["topic"], event["message"]) for event in missed] == [("left", "b"), ("right", "a"), ("right", "b")]


async def test_an_ack_is_told_to_the_user_s_sockets_in_the_other_process_and_resumes_there(pair: Pair) -> None:
    first, second = pair
    async with client(first, "alice", "inbox") as here, client(second, "alice") as there, client(second, "bob") as bob:
        for text in ("a", "b", "c"):
            await publish(here, "inbox", text)
        await here.send("ack", topic="inbox", seq=2, id="7")
        assert await here.next("acked") == {"type": "acked", "topic": "inbox", "seq": 2, "id": "7"}
        assert await there.next("acked") == {"type": "acked", "topic": "inbox", "seq": 2}
        await there.send("subscribe", topics=["inbox"], since="acked")
        assert (await there.next("notification"))["message"] == "c"
        await publish(bob, "inbox", "end")
    assert "acked" not in {event["type"] for event in bob.heard}


async def test_who_may_reaches_somebody_s_own_topic_in_both_processes(pair: Pair) -> None:
    first, second = pair
    async with (
        client(first, "alice", "me") as here,
        client(second, "alice", "me") as there,
        client(second, "bob", "me") as bob,
        client(first, "root") as root,
    ):
        assert (await publish(root, "@alice", "Your report is ready"))["recipients"] == 2
        for one in (here, there):
            told = await one.next("notification")
            assert (told["topic"], told["sender"], told["message"]) == ("me", "root", "Your report is ready")
        await publish(root, "@bob", "for bob")
        assert (await bob.next("notification"))["message"] == "for bob"


async def test_who_may_not_cannot_find_out_who_there_is(pair: Pair) -> None:
    async with client(pair[0], "bob") as bob, client(pair[1], "root") as root:
        for name in ("@alice", "@nobody"):
            await bob.send("publish", topic=name, message="Hi")
            assert await refused(bob) == ("forbidden", "You may not notify single people.")
        await root.send("publish", topic="@nobody", message="Hi")
        assert (await refused(root))[0] == "not_found"


async def test_the_heartbeat_comes_to_both_and_only_staff_publish_there(pair: Pair) -> None:
    first, second = pair
    async with client(first, "alice", "system") as alice, client(second, None, "system") as guest:
        for one in (alice, guest):
            beat = await one.next("notification")
            assert (beat["topic"], beat["message"]) == ("system", "Heartbeat check - all systems normal")
            assert "seq" not in beat
        await alice.send("publish", topic="system", message="Hi")
        assert (await refused(alice))[0] == "forbidden"
        async with client(second, "root") as root:
            await publish(root, "system", "Maintenance at noon")
        for one in (alice, guest):
            assert (await one.next("notification", sender="root"))["message"] == "Maintenance at noon"


async def test_who_unsubscribes_gets_no_more_and_counts_no_more(pair: Pair) -> None:
    first, second = pair
    async with client(first, None, "loud", "quiet") as one, client(second, "alice") as publisher:
        await one.send("unsubscribe", topics=["loud"])
        await one.next("unsubscribed")
        await publish(publisher, "loud", "not for you")
        await publish(publisher, "quiet", "for you")
        assert (await one.next("notification"))["message"] == "for you"
        async with asyncio.timeout(2):
            while (await publish(publisher, "loud", "anybody?"))["recipients"]:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)


async def test_a_socket_has_room_for_so_many_topics(pair: Pair) -> None:
    async with client(pair[0], None, "a", "b", "c") as one:
        await one.send("subscribe", topics=["d", "e"])
        assert (await refused(one))[0] == "invalid"
        await one.send("subscribe", topics=["c", "d"])
        assert (await one.next("subscribed"))["topics"] == ["c", "d"]


async def test_what_is_published_in_admin_reaches_sockets_of_both(pair: Pair) -> None:
    first, second = pair
    async with client(first, None, "office") as here, client(second, None, "office") as there:
        assert await asyncio.to_thread(publish_in_admin, first, "office", "Lunch is here") == 302
        for one in (here, there):
            told = await one.next("notification")
            assert (told["message"], told["sender"], told["priority"]) == ("Lunch is here", "root", 4)


def publish_in_admin(server: Server, topic: str, message: str) -> int:
    """Log in as root, fill in the form and publish; returns the status of the answer."""
    cookie = log_in_with_browser(server, "root")
    path = "/admin/notifications/notification/add/"
    page = get(server, path, Cookie=cookie)
    chosen = re.search(rf'<option value="(\d+)">{topic}</option>', page.text)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert chosen is not None
    assert token is not None
    form = {"stream": chosen[1], "title": "", "message": message, "priority": "4", "tags": ""}
    with closing(HTTPConnection("127.0.0.1", server.port)) as connection:
        body = urlencode({**form, "csrfmiddlewaretoken": token[1]})
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
