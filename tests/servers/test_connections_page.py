"""Admin's page of open connections sees two servers through Redis, and closes what is chosen on both."""

import asyncio
import json
import re
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import connect

from tests.processes import Server
from tests.servers.clients import bearer, closed, get, log_in_with_browser, member

Pair = tuple[Server, Server]
DATA, DISCONNECT = "/admin/realtime/connection/data/", "/admin/realtime/connection/disconnect/"
BY_STAFF = (4503, "a moderator ended your connection")


class Staff:
    """Root's browser, on one of the servers."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cookie = log_in_with_browser(server, "root")

    def data(self, **query: str) -> dict[str, Any]:
        """What the page asks for."""
        found: dict[str, Any] = json.loads(get(self.server, f"{DATA}?{urlencode(query)}", Cookie=self.cookie).text)
        return found

    def disconnect(self, **query: str) -> int:
        """Press the button; returns the status."""
        token = re.search(r"csrftoken=(\w+)", self.cookie)
        assert token is not None
        with closing(HTTPConnection("127.0.0.1", self.server.port)) as connection:
            headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
            body = urlencode({"csrfmiddlewaretoken": token[1]})
            connection.request("POST", f"{DISCONNECT}?{urlencode(query)}", body, headers)
            return connection.getresponse().status


@pytest.fixture(scope="module")
def staff(pair: Pair) -> Staff:
    """Root, who looks from the second server, where hardly anybody is."""
    return Staff(pair[1])


async def seen(staff: Staff, count: int, **query: str) -> list[dict[str, Any]]:
    """The rows, when there are so many: what a closed socket leaves is gone a moment later."""
    while True:
        found = await asyncio.to_thread(staff.data, **query)
        assert found["complete"] is True
        if len(found["rows"]) == found["totals"]["connections"] == count:
            rows: list[dict[str, Any]] = found["rows"]
            return rows


def chosen(address: str) -> str:
    """What an address of the page chooses: `chat.room:5` of `…?stream=chat.room:5`."""
    return address.partition("=")[2]


async def test_one_that_holds_nobody_shows_the_other_s_people(pair: Pair, staff: Staff) -> None:
    async with member(pair[0], "alice", "quiet"):
        [row] = await seen(staff, 1)
        assert (row["who"], row["route"], row["streams"][0][0]) == ("alice", "/ws/chat/quiet/", "quiet")


async def test_the_people_of_both_are_shown_with_what_they_said(pair: Pair, staff: Staff) -> None:
    first, second = pair
    async with member(first, "alice", "both") as alice, member(second, "bob", "both") as bob:
        said = await alice.say("hello")
        await bob.hear(said["message"])
        rows = await seen(staff, 2)
        assert [row["who"] for row in rows] == ["bob", "alice"]
        assert [row["messages_in"] for row in rows] == [0, 1]
        assert all(row["messages_out"] >= 2 and row["bytes_out"] > 100 for row in rows)
        found = await asyncio.to_thread(staff.data)
        assert found["processes"] == 2
        assert found["totals"]["bytes_in"] == sum(row["bytes_in"] for row in rows)
        assert [row["who"] for row in await seen(staff, 1, q="ALIC")] == ["alice"]


async def test_one_on_the_other_server_is_closed(pair: Pair, staff: Staff) -> None:
    async with member(pair[0], "alice", "one") as goes, member(pair[0], "alice", "one") as stays:
        rows = await seen(staff, 2)
        assert staff.disconnect(connection=rows[1]["id"]) == 302
        assert await closed(goes.socket) == BY_STAFF
        await stays.say("still here")


async def test_all_of_a_user_are_closed_on_both(pair: Pair, staff: Staff) -> None:
    first, second = pair
    async with (
        member(first, "alice", "user") as here,
        connect(f"{second.ws}/ws/echo/", additional_headers=bearer("alice")) as there,
        member(second, "bob", "user") as bob,
    ):
        [row] = [row for row in await seen(staff, 3) if row["route"] == "/ws/echo/"]
        staff.disconnect(user=chosen(row["user"]))
        assert [await closed(here.socket), await closed(there)] == [BY_STAFF, BY_STAFF]
        await bob.say("still here")


async def test_all_of_a_token_are_closed_on_both_and_the_browser_of_its_owner_is_not(pair: Pair, staff: Staff) -> None:
    first, second = pair
    cookie = await asyncio.to_thread(log_in_with_browser, first, "alice")
    browser = {"Cookie": cookie, "Origin": first.http}
    async with (
        member(first, "alice", "token") as here,
        member(second, "alice", "token") as there,
        connect(f"{first.ws}/ws/echo/", additional_headers=browser) as page,
    ):
        rows = await seen(staff, 3)
        assert {row["who"] for row in rows} == {"alice"}
        [token] = {row["token"] for row in rows} - {None}
        staff.disconnect(token=chosen(token))
        assert [await closed(here.socket), await closed(there.socket)] == [BY_STAFF, BY_STAFF]
        await page.send("still here")
        assert "still here" in str(await page.recv())


async def test_all_in_a_room_are_closed_on_both(pair: Pair, staff: Staff) -> None:
    first, second = pair
    async with (
        member(first, "alice", "room") as here,
        member(second, None, "room") as there,
        member(second, "alice", "elsewhere") as stays,
    ):
        rows = [row for row in await seen(staff, 3) if row["route"] == "/ws/chat/room/"]
        [stream] = {chosen(row["streams"][0][1]) for row in rows}
        staff.disconnect(stream=stream)
        assert [await closed(here.socket), await closed(there.socket)] == [BY_STAFF, BY_STAFF]
        await stays.say("still here")


async def test_who_reads_events_is_a_connection_like_any_other(pair: Pair, staff: Staff) -> None:
    first, _ = pair
    with closing(HTTPConnection("127.0.0.1", first.port)) as reader:
        reader.request("GET", "/api/notifications/deploys/stream", headers=bearer("bob"))
        answer = reader.getresponse()
        assert answer.status == 200
        [row] = await seen(staff, 1)
        assert (row["who"], row["route"]) == ("bob", "/api/notifications/deploys/stream")
        assert (row["streams"][0][0], row["messages_out"] > 0) == ("deploys", True)
        staff.disconnect(connection=row["id"])
        await asyncio.to_thread(answer.read)  # it ends
