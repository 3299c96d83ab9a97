"""The plain routes, frame by frame: what tutorials begin with."""

import json
import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts.secret import new_secret
from realtime.secrecy import NOT_SAYABLE
from realtime.testing import HandshakeRefused, connect
from tests.followed import followed

in_threads = pytest.mark.django_db(transaction=True)
TOO_LONG = "Error: Message too long (max 10000 chars)"

# Echo.


async def test_echo_sends_every_frame_back_as_it_was() -> None:
    async with connect("/ws/echo/") as socket:
        for frame in ("Hello", "Grüße, 世界 🎉", b"\x00\xff", "", b"", "a\x00b", "{}", '{"token":"x"}', "x" * 10_000):
            await socket.send(frame)
            assert await socket.frame() == frame


async def test_echo_puts_a_prefix_before_text_and_not_before_binary() -> None:
    async with connect("/ws/echo/?prefix=Echo:%20") as socket:
        await socket.send("Hello")
        assert await socket.frame() == "Echo: Hello"
        await socket.send("")
        assert await socket.frame() == "Echo: "
        await socket.send(b"Hello")
        assert await socket.frame() == b"Hello"


@pytest.mark.parametrize(
    ("query", "prefix"),
    [("prefix=", ""), ("prefix", ""), ("prefix=%F0%9F%8E%89", "🎉"), ("prefix=%ff", "\ufffd"), ("prefix=a+b", "a b")],
)
async def test_echo_takes_whatever_prefix_an_address_can_hold(query: str, prefix: str) -> None:
    async with connect(f"/ws/echo/?{query}") as socket:
        await socket.send("x")
        assert await socket.frame() == f"{prefix}x"


async def test_echo_takes_a_prefix_of_a_hundred_characters_and_no_more() -> None:
    async with connect(f"/ws/echo/?prefix={'x' * 100}") as socket:
        await socket.send("y")
        assert await socket.frame() == "x" * 100 + "y"
    async with connect(f"/ws/echo/?prefix={'x' * 101}") as socket:
        assert await socket.frame() == "Error: Prefix too long (max 100 chars)"
        assert (await socket.closed())[0] == 1008


async def test_echo_refuses_a_long_text_and_stays_open() -> None:
    async with connect("/ws/echo/") as socket:
        await socket.send("x" * 10_001)
        assert await socket.frame() == TOO_LONG
        await socket.send("🎉" * 10_000)
        assert await socket.frame() == "🎉" * 10_000


async def test_echo_has_no_rate(settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 1, 0.1
    async with connect("/ws/echo/") as socket:
        for number in range(200):
            await socket.send(str(number))
        assert [await socket.frame() for _ in range(200)] == [str(number) for number in range(200)]


async def test_echo_has_no_limit_where_there_is_none(settings: Settings) -> None:
    settings.CHORUS_MAX_TEXT = 0
    async with connect("/ws/echo/") as socket:
        await socket.send("x" * 100_000)
        assert await socket.frame() == "x" * 100_000


# Greet.


@pytest.mark.parametrize("name", ["Ada", "Zoë 🎉", "", '{"token":"x"}'])
async def test_greet_greets_once_and_closes(name: str) -> None:
    async with connect("/ws/greet/") as socket:
        await socket.send(name)
        assert await socket.frame() == f"Hello {name}!"
        assert await socket.closed() == (1000, "")


async def test_greet_wants_a_name_and_waits_for_one() -> None:
    async with connect("/ws/greet/") as socket:
        await socket.send(b"Ada")
        assert await socket.frame() == "Error: text only"
        await socket.send("x" * 10_001)
        assert await socket.frame() == TOO_LONG
        await socket.send("Ada")
        assert await socket.frame() == "Hello Ada!"


# Time.


async def test_time_comes_at_once_in_utc() -> None:
    async with connect("/ws/time/") as socket:
        told = str(await socket.frame())
    assert told.endswith("Z")
    assert abs(datetime.fromisoformat(told) - datetime.now(UTC)) < timedelta(seconds=5)


async def test_time_keeps_the_interval_it_is_asked_for() -> None:
    started = time.monotonic()
    async with connect("/ws/time/?every=0.1") as socket:
        for _ in range(4):
            await socket.frame()
    assert 0.29 < time.monotonic() - started < 5


async def test_time_otherwise_comes_after_up_to_three_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return 0.01

    monkeypatch.setattr(random, "uniform", uniform)
    async with connect("/ws/time/") as socket:
        for _ in range(3):
            await socket.frame()
    assert asked.count((0, 3)) >= 2


@pytest.mark.parametrize("every", ["0.1", "3600", "1e1", "1."])
async def test_time_takes_intervals_from_a_tenth_to_an_hour(every: str) -> None:
    async with connect(f"/ws/time/?every={every}") as socket:
        assert str(await socket.frame()).endswith("Z")


@pytest.mark.parametrize("every", ["0", "0.09", "3601", "-1", "", "soon", "nan", "inf", "1e400", "1,5"])
async def test_time_says_which_intervals_it_takes(every: str) -> None:
    async with connect(f"/ws/time/?every={every}") as socket:
        assert await socket.frame() == "Error: every: expected seconds from 0.1 to 3600"
        assert (await socket.closed())[0] == 1008


async def test_time_ignores_what_it_is_told() -> None:
    async with connect("/ws/time/?every=0.1") as socket:
        await socket.send("hi")
        await socket.send(b"\x00")
        for _ in range(3):
            assert str(await socket.frame()).endswith("Z")


# Broadcast and relay.


async def test_broadcast_goes_to_everyone_the_sender_too() -> None:
    async with connect("/ws/broadcast/") as one, connect("/ws/broadcast/") as two, connect("/ws/broadcast") as three:
        for frame in ("Hello", b"\x00\xff", "", b"", "{}"):
            await two.send(frame)
            assert [await socket.frame() for socket in (one, two, three)] == [frame] * 3


async def test_broadcast_keeps_each_sender_s_order() -> None:
    async with connect("/ws/broadcast/") as one, connect("/ws/broadcast/") as two:
        for number in range(50):
            await one.send(str(number))
        assert [await two.frame() for _ in range(50)] == [str(number) for number in range(50)]


async def test_broadcast_refuses_what_is_long_to_its_sender_only() -> None:
    async with connect("/ws/broadcast/") as one, connect("/ws/broadcast/") as two:
        await one.send("x" * 10_001)
        assert await one.frame() == TOO_LONG
        await one.send(b"x" * 10_001)
        assert await one.frame() == "Error: Message too long (max 10000 bytes)"
        await one.send("short")
        assert await two.frame() == "short"


async def test_relay_goes_to_everyone_but_the_sender() -> None:
    async with connect("/ws/relay/") as one, connect("/ws/relay/") as two, connect("/ws/relay/") as three:
        await one.send("hi")
        assert [await socket.frame() for socket in (two, three)] == ["Someone said: hi"] * 2
        await two.send("hi yourself")
        assert await one.frame() == "Someone said: hi yourself"  # and nothing of its own before


async def test_relay_is_for_text() -> None:
    async with connect("/ws/relay/") as one, connect("/ws/relay/") as two:
        await one.send(b"\x00")
        assert await one.frame() == "Error: text only"
        await one.send("x" * 10_001)
        assert await one.frame() == TOO_LONG
        await one.send("")
        assert await two.frame() == "Someone said: "


@pytest.mark.parametrize("route", ["broadcast", "relay"])
async def test_a_frame_that_holds_a_token_reaches_nobody(route: str) -> None:
    said: list[str | bytes] = [f'{{"token": "{new_secret()}"}}', f"\n\x0c my token is {new_secret()}"]
    said += [f"\x00{new_secret()}".encode()] if route == "broadcast" else []
    async with connect(f"/ws/{route}/") as one, connect(f"/ws/{route}/") as other:
        for frame in said:
            await one.send(frame)
            assert await one.frame() == f"Error: {NOT_SAYABLE}"
        await one.send("bye")
        assert str(await other.frame()).endswith("bye")


async def test_routes_do_not_hear_each_other() -> None:
    async with connect("/ws/broadcast/") as broadcast, connect("/ws/relay/") as relay, connect("/ws/relay/") as sender:
        await sender.send("for relay")
        assert await relay.frame() == "Someone said: for relay"
        await broadcast.send("for broadcast")
        assert await broadcast.frame() == "for broadcast"
        assert await relay.silent()


@pytest.mark.parametrize("route", ["broadcast", "relay"])
@pytest.mark.parametrize("frame", ["hi", b"\x00"])
async def test_too_many_frames_are_refused_in_words_and_in_the_end_closed(
    route: str, frame: str | bytes, settings: Settings
) -> None:
    settings.CHORUS_COMMAND_BURST = 2
    async with connect(f"/ws/{route}/") as socket:
        for _ in range(100):
            await socket.send(frame)
        told: list[str | bytes] = []
        while len([text for text in told if text == "Error: Too many messages (max 20 per second)"]) < 3:
            told.append(await socket.frame())
        assert (await socket.closed())[0] == 4003


@pytest.mark.parametrize("route", ["broadcast", "relay"])
async def test_what_reaches_many_costs_more(route: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.hub.hub.SOCKETS_PER_COST", 1)
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 2, 0.1
    async with connect(f"/ws/{route}/") as one, connect(f"/ws/{route}/") as two:
        await one.send("to two")
        assert str(await two.frame()).endswith("to two")
        await one.send("too soon")
        refused = await one.frame() if route == "relay" else [await one.frame(), await one.frame()][1]
        assert refused == "Error: Too many messages (max 0.1 per second)"


@pytest.mark.parametrize("route", ["broadcast", "relay"])
async def test_who_left_is_in_no_group(route: str) -> None:
    async with connect(f"/ws/{route}/"):
        assert followed()
    assert not followed()


@pytest.mark.parametrize("route", ["broadcast", "relay"])
async def test_who_is_refused_hears_nothing_before_and_nothing_after(route: str, settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = 1
    async with connect(f"/ws/{route}/", client=("192.0.2.1", 1)) as one:
        async with connect(f"/ws/{route}/", client=("192.0.2.1", 2)) as two:
            assert await two.frame() == "Error: Too many connections"
            assert (await two.closed())[0] == 1013
        async with connect(f"/ws/{route}/", client=("192.0.2.2", 1)) as three:
            await one.send("hi")
            assert str(await three.frame()).endswith("hi")
    assert not followed()


@in_threads
@pytest.mark.parametrize("route", ["broadcast", "relay"])
async def test_a_site_may_keep_guests_out(route: str, settings: Settings, alice: User, secret: str) -> None:
    settings.CHORUS_PLAIN_ROUTES = "members"
    async with connect(f"/ws/{route}/", user=alice) as member, connect(f"/ws/{route}/") as guest:
        await guest.send("hi")
        assert (await guest.event())["message"].startswith("Authentication required")
        assert await guest.closed() == (1008, "Authentication failed")
        async with connect(f"/ws/{route}/") as later:
            await later.send(json.dumps({"token": secret}))
            assert (await later.event())["status"] == "ok"
            await later.send("hi")
            assert str(await member.frame()).endswith("hi")


@in_threads
async def test_a_member_s_login_is_passed_on_to_nobody(settings: Settings, alice: User, secret: str) -> None:
    settings.CHORUS_PLAIN_ROUTES = "members"
    async with connect("/ws/broadcast/", user=alice) as one, connect("/ws/broadcast/", user=alice) as two:
        await one.send(json.dumps({"token": secret}))
        assert (await one.event())["type"] == "auth"
        await one.send("hi")
        assert await two.frame() == "hi"


@pytest.mark.parametrize("route", ["broadcast", "relay"])
async def test_a_site_may_switch_off_what_reaches_others(route: str, settings: Settings) -> None:
    settings.CHORUS_PLAIN_ROUTES = "off"
    with pytest.raises(HandshakeRefused) as refused:
        async with connect(f"/ws/{route}/"):
            pass
    assert refused.value.status == 404
    async with connect("/ws/echo/") as socket:
        await socket.send("Hello")
        assert await socket.frame() == "Hello"


# Secure echo.


@in_threads
async def test_secure_echo_says_who_speaks(alice: User, secret: str) -> None:
    for login in ({"user": alice}, {"secret": secret}):
        async with connect("/ws/secure-echo/", **login) as socket:
            await socket.send("hi")
            assert await socket.frame() == "[alice] hi"


@in_threads
async def test_secure_echo_takes_a_token_first(secret: str) -> None:
    async with connect("/ws/secure-echo/") as socket:
        await socket.send(json.dumps({"token": secret}))
        assert await socket.event() == {"type": "auth", "status": "ok", "username": "alice"}
        for text in ("hi", "", '{"action":"auth"}', '{"token"', '{"token":"x","action":"other"}'):
            await socket.send(text)
            assert await socket.frame() == f"[alice] {text}"


@in_threads
async def test_secure_echo_takes_another_token_later(secret: str, bob: User) -> None:
    async with connect("/ws/secure-echo/", user=bob) as socket:
        await socket.send("hi")
        assert await socket.frame() == "[bob] hi"
        await socket.send(json.dumps({"token": secret}))
        assert (await socket.event())["username"] == "alice"
        await socket.send("hi")
        assert await socket.frame() == "[alice] hi"


@in_threads
async def test_secure_echo_closes_on_a_wrong_token_later(alice: User) -> None:
    async with connect("/ws/secure-echo/", user=alice) as socket:
        await socket.send('{"token":"wrong"}')
        assert await socket.event() == {"type": "auth", "status": "error", "message": "Invalid token"}
        assert await socket.closed() == (1008, "Authentication failed")


@in_threads
async def test_secure_echo_is_for_text_of_some_length(alice: User) -> None:
    async with connect("/ws/secure-echo/", user=alice) as socket:
        await socket.send(b"\x00")
        assert await socket.frame() == "Error: text only"
        await socket.send("x" * 10_001)
        assert await socket.frame() == TOO_LONG
