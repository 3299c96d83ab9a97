"""A counter's socket, as transcripts: what is sent, what is answered, what everybody else gets."""

import asyncio
import json

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts.models import Token
from counter.consumers import CounterConsumer
from counter.models import Change, Counter
from realtime import db
from realtime.access import AccessLevel, Identity
from realtime.hub import ring
from realtime.hub.hub import current_hub
from realtime.processes import presence as presence_module
from realtime.streams.batch import Batch
from realtime.streams.commit import commit
from realtime.testing import Event, Socket, connect, until
from tests.followed import followed

pytestmark = pytest.mark.django_db(transaction=True)
CUPS = "/ws/counter/cups/"
ALICE = Identity("user:1", "alice")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_module, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(CounterConsumer, "presence_seconds", 0.05)


@pytest.fixture
def cups(db: None) -> Counter:
    """A counter that everybody may press, guests too."""
    return Counter.objects.create(name="cups", guest_access=AccessLevel.WRITE)


async def state(socket: Socket, value: int) -> Event:
    """Wait until it stands there."""
    return await socket.next("state", value=value)


# On connect.


async def test_who_connects_gets_users_and_state_in_this_order(cups: Counter) -> None:
    async with connect(CUPS) as socket:
        assert await socket.event() == {"type": "users", "count": 1}
        assert await socket.event() == {"type": "state", "value": 0, "version": 0}


async def test_who_connects_later_gets_where_it_stands(cups: Counter) -> None:
    await db.run(cups.add, ALICE, 7)
    async with connect(CUPS) as first:
        await first.command("add", delta=-2)
        await state(first, 5)
        async with connect(CUPS) as second:
            assert await second.event() == {"type": "users", "count": 2}
            assert await second.event() == {"type": "state", "value": 5, "version": 2}


@pytest.mark.parametrize("query", ["since=0", "since=2&epoch={epoch}", "since=1&epoch={epoch}", "since=9&epoch=x"])
async def test_a_state_comes_on_connect_whatever_position_is_given(query: str, cups: Counter) -> None:
    for _ in range(2):
        await db.run(cups.add, ALICE, 1)
    async with connect(f"{CUPS}?{query.format(epoch=cups.epoch)}") as socket:
        assert (await socket.event())["type"] == "users"
        assert await socket.event() == {"type": "state", "value": 2, "version": 2}


async def test_however_much_was_counted_a_state_comes_on_connect(
    cups: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "RING_BYTES", 200)
    async with connect(CUPS) as first:
        for value in range(1, 21):
            await first.command("plus")
            await state(first, value)
        async with connect(CUPS) as second:
            assert (await second.before("state"))[-1]["value"] == 20


# Pressing.


async def test_plus_minus_and_add_are_told_to_everyone(cups: Counter) -> None:
    async with connect(CUPS) as socket, connect(CUPS) as other:
        for sent, value in (({"action": "plus"}, 1), ({"action": "minus"}, 0), ({"action": "add", "delta": -5}, -5)):
            await socket.send(json.dumps(sent))
            assert await state(socket, value) == await state(other, value)
    assert (await db.run(Counter.objects.get)).value == -5


async def test_a_page_that_knows_users_and_state_never_meets_another_type(cups: Counter, alice: User) -> None:
    """As in the tutorials: it clicks without ids, others come, click with ids, and go."""
    async with connect(CUPS) as page:
        async with connect(CUPS, user=alice) as other:
            await other.command("add", delta=5, id="7")
            await other.next("ack")
            await page.command("plus")
            await page.command("minus")
            await state(other, 5)
        await page.next("users", count=1)
        await page.command("plus")
        events = await page.before("state")
        while events[-1]["value"] != 6:
            events += await page.before("state")
    assert {event["type"] for event in events} <= {"users", "state"}


async def test_a_command_with_an_id_is_acknowledged_after_its_state(cups: Counter) -> None:
    async with connect(CUPS) as socket:
        await state(socket, 0)
        await socket.command("add", delta=5, id="7")
        await state(socket, 5)
        assert await socket.event() == {"type": "ack", "id": "7", "value": 5, "version": 1}


@pytest.mark.parametrize(("action", "value"), [("plus", 1), ("minus", -1)])
async def test_plus_and_minus_take_an_id_too(action: str, value: int, cups: Counter) -> None:
    async with connect(CUPS) as socket:
        await socket.command(action, id="7")
        assert await socket.next("ack") == {"type": "ack", "id": "7", "value": value, "version": 1}


async def test_an_acknowledged_change_is_stored(cups: Counter) -> None:
    async with connect(CUPS) as socket:
        await socket.command("plus", id="7")
        ack = await socket.next("ack")
        row = await db.run(Counter.objects.get)
    assert (row.value, row.last_seq) == (ack["value"], ack["version"])


async def test_a_repeat_is_acknowledged_and_counts_once(cups: Counter, alice: User) -> None:
    async with connect(CUPS, user=alice) as socket:
        await socket.command("plus", id="7")
        ack = await socket.next("ack")
    async with connect(CUPS, user=alice) as socket:
        await socket.command("plus", id="7")
        assert await socket.next("ack") == {**ack, "duplicate": True}
        await socket.command("plus")
        assert (await state(socket, 2))["version"] == 2


async def test_plus_and_a_minus_of_the_same_id_are_a_conflict(cups: Counter) -> None:
    async with connect(CUPS) as socket:
        await socket.command("plus", id="7")
        await socket.next("ack")
        await socket.command("minus", id="7")
        error = await socket.next("error")
        assert (error["code"], error["id"]) == ("id_conflict", "7")


async def test_versions_only_rise_however_many_press(cups: Counter) -> None:
    async with connect(CUPS) as one, connect(CUPS) as two:
        for _ in range(25):
            await one.command("plus")
            await two.command("plus")
        for socket in (one, two):
            events = await socket.before("state")
            while events[-1]["value"] < 50:
                events += await socket.before("state")
            versions = [event["version"] for event in events if event["type"] == "state"]
            assert versions == sorted(set(versions))
            assert versions[-1] == 50


async def test_a_change_from_a_view_or_a_shell_is_told(cups: Counter) -> None:
    async with connect(CUPS) as socket:
        await state(socket, 0)
        await db.run(cups.add, ALICE, 3)
        await state(socket, 3)
        await db.run(cups.set_to, ALICE, 10, "stock-taking")
        assert (await state(socket, 10))["version"] == 2


async def test_a_lost_hint_is_found_by_the_position_check(cups: Counter) -> None:
    async with connect(CUPS) as socket:
        await state(socket, 0)
        await db.run(lambda: Counter.objects.update(value=5, last_seq=9))
        await current_hub().check_positions()
        assert (await state(socket, 5))["version"] == 9


async def test_a_database_that_went_back_tells_where_it_stands_now(cups: Counter) -> None:
    async with connect(CUPS) as socket:
        await socket.command("add", delta=5)
        await socket.command("plus")
        await state(socket, 6)
        await db.run(lambda: Counter.objects.update(value=5, last_seq=1))
        await current_hub().check_positions()
        assert (await state(socket, 5))["version"] == 1
        await socket.command("plus")
        assert (await state(socket, 6))["version"] == 2


# What cannot be pressed.


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("hello", "bad_json"),
        ("", "bad_json"),
        ("{not json", "bad_json"),
        ('{"action":"reset"}', "unsupported_action"),
        ('{"delta":5}', "unsupported_action"),
        ('{"action":["plus"]}', "unsupported_action"),
        ('{"action":"add"}', "invalid"),
        ('{"action":"add","delta":0}', "invalid"),
        ('{"action":"add","delta":1000001}', "invalid"),
        ('{"action":"add","delta":1.5}', "invalid"),
        ('{"action":"add","delta":"5"}', "invalid"),
        ('{"action":"add","delta":NaN}', "bad_json"),
        ('{"action":"plus","id":5}', "invalid"),
    ],
)
async def test_what_means_nothing_is_told_and_the_counter_goes_on(frame: str, code: str, cups: Counter) -> None:
    async with connect(CUPS) as socket:
        await state(socket, 0)
        await socket.send(frame)
        assert (await socket.error())["code"] == code
        await socket.command("plus")
        await state(socket, 1)


async def test_a_value_out_of_bounds_is_told_with_the_id(cups: Counter) -> None:
    await db.run(cups.set_to, ALICE, 2**53 - 1, "nearly")
    async with connect(CUPS) as socket:
        await socket.command("plus", id="7")
        error = await socket.next("error")
        assert (error["code"], error["id"]) == ("invalid", "7")


async def test_too_fast_is_told(cups: Counter, settings: Settings) -> None:
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 1, 2
    async with connect(CUPS) as socket:
        for _ in range(3):
            await socket.command("plus", id="7")
        error = await socket.next("error")
        assert (error["code"], error["id"], error["retry_after"] > 0) == ("rate_limited", "7", True)


def clicked(counter: Counter) -> Batch:
    """Add one as another process does whose hint is lost; gives what it would have told."""
    change = Change.of(ALICE, 1, None)
    change.stream = counter
    [batch] = commit(Counter, [change]).batches
    return batch


async def test_a_slow_reader_gets_the_newest_state(cups: Counter, settings: Settings) -> None:
    settings.CHORUS_OUTBOX_BYTES = 200
    async with connect(CUPS) as socket, connect(CUPS, user=await db.run(User.objects.create_user, "eve")) as eve:
        await state(socket, 0)
        for batch in [await db.run(clicked, cups) for _ in range(20)]:
            current_hub().committed(batch)
        await state(socket, 20)
        await eve.command("plus")
        await state(socket, 21)


async def test_binary_closes_the_socket(cups: Counter) -> None:
    async with connect(CUPS) as socket:
        await state(socket, 0)
        await socket.send(b"\x00")
        assert (await socket.closed())[0] == 1003


# How many are here.


async def test_users_counts_connections_and_not_people(cups: Counter, alice: User) -> None:
    async with connect(CUPS, user=alice) as one:
        await one.next("users", count=1)
        async with connect(CUPS, user=alice) as two:
            assert (await two.event())["count"] == 2
            await one.next("users", count=2)
        await one.next("users", count=1)


async def test_many_who_come_together_are_told_together(cups: Counter) -> None:
    async with connect(CUPS) as first:
        await state(first, 0)
        others = [connect(CUPS) for _ in range(20)]
        await asyncio.gather(*[other.__aenter__() for other in others])
        told = [(await first.event())["count"]]
        while told[-1] != 21:
            told.append((await first.event())["count"])
        assert len(told) < 15
        for other in others:
            await other.__aexit__(None, None, None)


async def test_who_is_gone_is_in_no_group_and_nowhere_present(cups: Counter) -> None:
    async with connect(CUPS) as socket:
        await state(socket, 0)
    await until(lambda: not followed())


# Who may what.


async def test_who_may_only_watch_is_told_so(cups: Counter, alice: User) -> None:
    await db.run(lambda: Counter.objects.update(guest_access="read"))
    async with connect(CUPS) as socket, connect(CUPS, user=alice) as member:
        await state(socket, 0)
        await socket.command("plus", id="7")
        error = await socket.next("error")
        assert (error["code"], error["id"]) == ("forbidden", "7")
        assert error["message"] == "Guests may not write here. Log in first."
        await member.command("plus")
        await state(socket, 1)


async def test_who_may_not_watch_is_told_and_closed(cups: Counter) -> None:
    await db.run(lambda: Counter.objects.update(guest_access="none"))
    async with connect(CUPS) as socket:
        assert (await socket.error())["code"] == "forbidden"
        assert (await socket.closed())[0] == 4506


@pytest.mark.parametrize(
    ("scopes", "presses"),
    [(["counter:read"], False), (["counter:read", "counter:write:cups"], True), (["counter:read:cups"], False)],
)
async def test_a_token_may_what_its_scopes_say(scopes: list[str], presses: bool, cups: Counter, alice: User) -> None:
    _, secret = await db.run(Token.issue, alice, "narrow", scopes)
    async with connect(CUPS, secret=secret) as socket:
        await state(socket, 0)
        await socket.command("plus", id="7")
        answer = await socket.next("ack" if presses else "error")
        assert answer["id"] == "7"


async def test_a_login_says_anew_where_it_stands(cups: Counter, secret: str) -> None:
    await db.run(lambda: Counter.objects.update(guest_access="read"))
    async with connect(CUPS) as socket:
        await state(socket, 0)
        await socket.send(json.dumps({"token": secret}))
        events = await socket.before("state")
        assert [event["type"] for event in events if event["type"] != "users"] == ["auth", "state"]
        await socket.command("plus")
        await state(socket, 1)


async def test_who_logs_in_is_still_one_connection(cups: Counter, secret: str) -> None:
    async with connect(CUPS) as socket:
        await state(socket, 0)
        await socket.send(json.dumps({"token": secret}))
        await state(socket, 0)
        async with connect(CUPS) as other:
            assert (await other.event())["count"] == 2


async def test_in_production_a_counter_that_nobody_made_is_told_and_closed() -> None:
    async with connect(CUPS) as socket:
        assert (await socket.error())["code"] == "not_found"
        assert (await socket.closed())[0] == 4504


async def test_a_counter_that_is_deleted_closes_its_sockets(cups: Counter) -> None:
    async with connect(CUPS) as socket:
        await state(socket, 0)
        await socket.event()  # `users`, told to all who are here
        await db.run(Counter.objects.all().delete)
        await current_hub().check_positions()
        assert (await socket.closed())[0] == 4504


async def test_clicks_leave_no_rows(cups: Counter) -> None:
    async with connect(CUPS) as socket:
        for value in (1, 2, 3):
            await socket.command("plus")
            await state(socket, value)
    assert await db.run(Change.objects.count) == 0
