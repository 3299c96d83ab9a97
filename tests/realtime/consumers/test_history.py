"""The sockets of a history, by an app that adds a command and nothing else. Rooms stand for all histories."""

import threading
from contextlib import AsyncExitStack
from typing import Any, Literal

import pytest
from django.contrib.auth.models import User
from django.urls import re_path
from pytest_django import Settings

from accounts.credentials import Credentials
from chat.models import Message, Room
from realtime import db
from realtime.access import AccessLevel
from realtime.asgi import websocket_application
from realtime.consumers import HistoryConsumer, command
from realtime.history_events import Joined
from realtime.protocol import Command, Event
from realtime.testing import connect
from tests.realtime.listening import write

pytestmark = pytest.mark.django_db(transaction=True)


class Say(Command):
    action: Literal["say"] = "say"
    text: str


class Named(Event):
    room: str


class InRoom(Joined, Named):
    """An app's own, with the name of the stream."""


class Plain(HistoryConsumer):
    model = Room

    @command(Say)
    async def say(self, said: Say) -> None:
        await self.store(Message.from_command(self.identity, said))


class Few(Plain):
    """Some kinds of events only."""

    async def opened(self) -> None:
        self.kinds = frozenset({"chat"})
        await super().opened()


class Lobby(Plain):
    """Of an address without a name."""

    default_name = "lobby"


APPLICATION = websocket_application(
    [
        re_path(r"^plain/(?P<room>[^/]+)/$", Plain.as_asgi()),
        re_path(r"^few/(?P<room>[^/]+)/$", Few.as_asgi()),
        re_path(r"^lobby/$", Lobby.as_asgi()),
    ],
    credentials=Credentials,
)


def socket(path: str = "/plain/lobby/", **options: Any) -> Any:
    return connect(path, application=APPLICATION, **options)


async def test_the_first_event_says_where_the_history_is(lobby: Room, alice: User) -> None:
    await write(lobby, "one", "two")
    async with socket(user=alice) as opened:
        joined = await opened.event()
    assert (joined["type"], joined["you"], joined["seq"], joined["more"]) == ("joined", "alice", 2, False)
    assert [message["message"] for message in joined["messages"]] == ["one", "two"]
    assert joined["users"]["names"] == ["alice"]


async def test_the_name_in_the_address_is_called_as_the_model_or_is_the_default(lobby: Room) -> None:
    await write(lobby, "one")
    for path in ("/plain/lobby/", "/plain/LOBBY/", "/lobby/"):
        async with socket(path) as opened:
            assert (await opened.event())["seq"] == 1


async def test_what_is_stored_is_told_to_all_and_acknowledged_by_that(lobby: Room) -> None:
    async with socket() as one, socket() as other:
        await one.command("say", text="Hi", id="1")
        assert (await one.next("chat"))["id"] == "1"
        assert (await other.next("chat"))["message"] == "Hi"
        await one.command("say", text="Hi", id="1")
        repeated = await one.next("chat")
        assert (repeated["id"], repeated["seq"], repeated["duplicate"]) == ("1", 1, True)


async def test_nothing_is_stored_for_who_may_not_write(lobby: Room) -> None:
    await db.run(Room.objects.filter(pk=lobby.pk).update, guest_access=AccessLevel.READ)
    async with socket() as guest:
        await guest.next("joined")
        for action, fields in (("say", {"text": "Hi"}), ("delete", {"seq": 1})):
            await guest.command(action, **fields)
            assert (await guest.next("error"))["code"] == "forbidden"
    assert await db.run(Message.objects.count) == 0


async def test_older_entries_are_asked_for(lobby: Room) -> None:
    await write(lobby, "one", "two", "three")
    async with socket() as opened:
        await opened.command("history", before=3, limit=1, id="1")
        history = await opened.next("history", id="1")
    assert [message["seq"] for message in history["messages"]] == [2]
    assert history["more"]


async def test_a_page_of_history_costs_as_much_as_five_commands(lobby: Room, settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 6, 0.1
    async with socket() as guest:
        await guest.next("users")
        for _ in range(3):
            await guest.command("history")
        assert [(await guest.event())["type"] for _ in range(3)] == ["history", "history", "error"]


async def test_nobody_s_history_delays_a_join(lobby: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(Room, "history", lambda *_, **__: (go_on.wait(20) and [], False))
    async with AsyncExitStack() as stack:
        for _ in range(10):
            guest = await stack.enter_async_context(socket())
            await guest.next("joined")
            await guest.command("history")
        async with socket() as late:
            await late.next("joined")
        go_on.set()
        assert (await guest.next("history"))["messages"] == []


async def test_an_own_entry_may_be_deleted(lobby: Room) -> None:
    async with socket() as opened:
        await opened.command("say", text="Hi", id="1")
        await opened.next("chat")
        await opened.command("delete", seq=1, id="2")
        assert (await opened.next("deleted"))["target"] == 1
    async with socket() as later:
        assert (await later.event())["messages"][0]["deleted"]


async def test_who_wants_some_kinds_only_is_told_nothing_else(lobby: Room) -> None:
    await write(lobby, "one")
    async with socket("/few/lobby/") as few, socket("/few/lobby/?since=0") as since:
        assert (await since.event())["message"] == "one"
        await few.command("say", text="two")
        assert (await few.event())["message"] == "two"
        assert (await since.event())["message"] == "two"


async def test_who_comes_and_goes_is_told_as_a_number_of_connections(lobby: Room) -> None:
    async with socket() as one:
        await one.next("joined")
        async with socket():
            await one.next("users", count=2)
        await one.next("users", count=1)


async def test_an_app_s_joined_may_have_the_name_of_the_stream(lobby: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plain, "joined", InRoom)
    async with socket() as opened:
        assert (await opened.event())["room"] == "lobby"
