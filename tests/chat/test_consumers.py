"""A room's socket, as transcripts: what is sent, what is answered, what everybody else gets."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core import signing
from pytest_django import Settings

from accounts.guests import COOKIE
from accounts.models import Token
from chat.models import Message, Room, Sanction
from realtime import access, db
from realtime.access import AccessLevel, Identity
from realtime.hub.hub import current_hub
from realtime.hub.live import FRESH
from realtime.models import Person
from realtime.processes import presence as presence_module
from realtime.protocol import Refused
from realtime.secrecy import NOT_SAYABLE
from realtime.streams.key import group_of
from realtime.streams.replay import FRAME_BYTES
from realtime.testing import OWN_ORIGIN, Event, Socket, connect, until
from tests.anonymous import anonymous
from tests.followed import followed
from tests.realtime.held import held
from tests.realtime.listening import ALICE, write

pytestmark = pytest.mark.django_db(transaction=True)
LOBBY = "/ws/chat/lobby/"


@pytest.fixture(autouse=True)
def _quick_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_module, "GRACE_SECONDS", 0.1)


def without_time(event: Event) -> Event:
    """An event without its timestamp, which is of now, and without ids of people, which are random."""
    timestamp = datetime.fromisoformat(event.pop("timestamp"))
    assert abs(timestamp - datetime.now(UTC)) < timedelta(minutes=1)
    found: Event = anonymous(event)
    return found


async def said(room: Room, *texts: str) -> None:
    """Have something said in the room already."""
    await write(room, *texts)


def seqs(events: list[Event]) -> list[int]:
    return [event["seq"] for event in events]


async def say(socket: Socket, text: str, **fields: Any) -> Event:
    """Say something and wait for the acknowledgement."""
    await socket.command("send", text=text, **fields)
    return await socket.next("chat", message=text)


# Joining.


async def test_the_first_frame_says_where_one_is(lobby: Room, alice: User) -> None:
    await said(lobby, "a", "b")
    async with connect(LOBBY, user=alice) as socket:
        joined = await socket.event()
    messages = joined.pop("messages")
    assert anonymous(joined) == {
        "type": "joined",
        "room": "lobby",
        "you": "alice",
        "seq": 2,
        "epoch": lobby.epoch,
        "recovered": False,
        "more": False,
        "users": {"count": 1, "connections": 1, "names": ["alice"]},
    }
    assert [without_time(message) for message in messages] == [
        {"type": "chat", "seq": 1, "sender": "alice", "message": "a"},
        {"type": "chat", "seq": 2, "sender": "alice", "message": "b"},
    ]


async def test_who_joins_is_among_those_who_are_here(lobby: Room, alice: User, bob: User) -> None:
    async with connect(LOBBY, user=alice) as first, connect(LOBBY, user=alice) as second:
        await first.next("joined")
        await second.next("joined")
        async with connect(LOBBY, user=bob) as third:
            joined = await third.next("joined")
    assert anonymous(joined["users"]) == {"count": 2, "connections": 3, "names": ["alice", "bob"]}


async def test_an_empty_room_has_nothing_to_tell(lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        joined = await socket.next("joined")
    assert (joined["seq"], joined["messages"], joined["more"], joined["recovered"]) == (0, [], False, False)


async def test_of_a_long_history_the_newest_are_told_and_that_there_is_more(lobby: Room) -> None:
    await said(lobby, *["x"] * (FRESH + 1))
    async with connect(LOBBY) as socket:
        joined = await socket.next("joined")
    assert seqs(joined["messages"]) == list(range(2, FRESH + 2))
    assert joined["more"]


# Coming back.


async def test_who_comes_back_gets_exactly_what_was_missed(lobby: Room) -> None:
    await said(lobby, *"abcde")
    async with connect(f"{LOBBY}?since=2&epoch={lobby.epoch}") as socket:
        joined = await socket.next("joined")
    assert (joined["recovered"], joined["seq"], seqs(joined["messages"])) == (True, 5, [3, 4, 5])


async def test_who_missed_nothing_gets_nothing(lobby: Room) -> None:
    await said(lobby, "a")
    async with connect(f"{LOBBY}?since=1&epoch={lobby.epoch}") as socket:
        joined = await socket.next("joined")
    assert (joined["recovered"], joined["messages"], joined["more"]) == (True, [], False)


@pytest.mark.parametrize("query", ["since=1", "since=1&epoch=", "since=1&epoch=another", "since=99&epoch={epoch}"])
async def test_a_position_that_means_nothing_is_not_recovered(query: str, lobby: Room) -> None:
    await said(lobby, *"abc")
    async with connect(f"{LOBBY}?{query.format(epoch=lobby.epoch)}") as socket:
        joined = await socket.next("joined")
    assert (joined["recovered"], seqs(joined["messages"])) == (False, [1, 2, 3])


@pytest.mark.parametrize("since", ["", "x", "-1", "1.5", "²", "１", "9" * 19, "0x1", "1e3", "%20"])
async def test_a_position_that_is_none_is_told_and_closed(since: str, lobby: Room) -> None:
    async with connect(f"{LOBBY}?since={since}&epoch={lobby.epoch}") as socket:
        error = await socket.error()
        assert (error["code"], list(error["fields"])) == ("invalid", ["since"])
        assert (await socket.closed())[0] == 1008


async def test_a_long_replay_goes_on_in_frames_before_anything_live(lobby: Room) -> None:
    await said(lobby, *["x" * 10_000] * 100)
    async with connect(f"{LOBBY}?since=0&epoch={lobby.epoch}") as socket:
        await socket.send("live")
        frames = [str(await socket.frame())]
        while json.loads(frames[-1])["type"] != "chat":
            frames.append(str(await socket.frame()))
    *replay, live = [json.loads(frame) for frame in frames]
    assert [event["type"] for event in replay] == ["joined"] + ["replay"] * (len(replay) - 1)
    assert [seq for event in replay for seq in seqs(event["messages"])] == list(range(1, 101))
    assert live["seq"] == 101
    assert len(replay) > 3
    assert max(len(frame.encode()) for frame in frames) <= FRAME_BYTES


async def test_what_was_missed_includes_deletions(lobby: Room, alice: User) -> None:
    await said(lobby, "secret")
    await db.run(lobby.delete_message, ALICE, 1)
    async with connect(f"{LOBBY}?since=1&epoch={lobby.epoch}") as socket:
        [deleted] = (await socket.next("joined"))["messages"]
    assert without_time(deleted) == {"type": "deleted", "seq": 2, "target": 1, "by": "alice"}


async def test_a_reset_history_is_told_on_the_open_socket(lobby: Room) -> None:
    await said(lobby, "a")
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await db.run(Room.renew_epoch, lobby.pk, lobby.epoch)
        await current_hub().check_positions()
        joined = await socket.next("joined")
        assert joined["epoch"] != lobby.epoch
        assert (joined["recovered"], seqs(joined["messages"])) == (False, [1])
        assert (await say(socket, "goes on"))["seq"] == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_reset_while_somebody_joins_leaves_the_last_word_to_the_new_history(
    order: tuple[int, int], lobby: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await said(lobby, *"abc")
    presence = current_hub().presence
    opening = presence.open
    gates: list[asyncio.Event] = []

    async def slowly(*args: Any, **kwargs: Any) -> None:
        gates.append(asyncio.Event())
        await gates[-1].wait()
        await opening(*args, **kwargs)

    monkeypatch.setattr(presence, "open", slowly)
    async with connect(LOBBY) as socket:
        await until(lambda: current_hub().position(lobby.key) == (lobby.epoch, 3))
        await db.run(Room.renew_epoch, lobby.pk, lobby.epoch)
        await current_hub().check_positions()
        await until(lambda: len(gates) == 2)
        current_hub().committed(await write(lobby, "d"))
        for index in order:
            gates[index].set()
            await asyncio.sleep(0.05)
        await socket.send("end")
        events = await socket.before("chat")
    last = max(index for index, event in enumerate(events) if event["type"] == "joined")
    following = [seq for event in events[last:-1] for seq in seqs(event["messages"])]
    assert events[last]["epoch"] != lobby.epoch
    assert following == [1, 2, 3, 4]
    assert events[-1]["seq"] == 5


async def test_a_room_that_is_deleted_closes_its_sockets(lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await db.run(Room.objects.all().delete)
        await current_hub().check_positions()
        assert (await socket.closed())[0] == 4504


# Muted.


async def mute(room: Room, user: User, seconds: float | None = None) -> Sanction:
    """Somebody is muted by nobody in particular."""
    return await db.run(
        lambda: room.sanction(Sanction.Kind.MUTE, Identity.of_user(user), None, seconds=seconds, reason="Shouting")
    )


def words(sanction: Sanction) -> str:
    until = f" until {sanction.until:%Y-%m-%d %H:%M} UTC" if sanction.until else ""
    return f"You are muted in this room{until}. Reason: Shouting"


async def test_who_is_muted_reads_at_once_why_and_until_when(lobby: Room, alice: User) -> None:
    async with connect(LOBBY, user=alice) as socket, connect(LOBBY) as other:
        await socket.next("joined")
        await other.next("joined")
        sanction = await mute(lobby, alice, 600)
        told = await socket.next("rights")
        assert sanction.until == datetime.fromisoformat(told.pop("until"))
        assert told == {"type": "rights", "write": False, "message": words(sanction), "reason": "Shouting"}
        await socket.command("send", text="may I?", id="7")
        assert (await socket.next("error"))["message"] == words(sanction)
        await db.run(sanction.lift)
        assert await socket.next("rights") == {"type": "rights", "write": True}
        await say(socket, "thanks")
        assert "rights" not in {event["type"] for event in await other.before("chat")}


async def test_who_joins_muted_is_told_after_what_was_said(lobby: Room, alice: User) -> None:
    sanction = await mute(lobby, alice)
    async with connect(LOBBY, user=alice) as socket:
        assert (await socket.event())["type"] == "joined"
        assert await socket.event() == {
            "type": "rights",
            "write": False,
            "message": words(sanction),
            "reason": "Shouting",
        }


async def test_a_mute_that_ends_by_itself_is_told(lobby: Room, alice: User) -> None:
    await mute(lobby, alice, 0.5)
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("rights", write=False)
        assert await socket.next("rights") == {"type": "rights", "write": True}
        await say(socket, "free")


async def test_whatever_takes_the_right_to_write_is_told(lobby: Room) -> None:
    async with connect(LOBBY) as guest:
        await guest.next("joined")
        lobby.guest_access = AccessLevel.READ
        await db.run(lobby.save)
        message = "Guests may not write here. Log in first."
        assert await guest.next("rights") == {"type": "rights", "write": False, "message": message}


async def test_a_client_that_reads_line_by_line_is_told_when_it_writes(lobby: Room, alice: User) -> None:
    sanction = await mute(lobby, alice)
    async with connect(f"{LOBBY}?plain=1", user=alice) as socket:
        await socket.send("may I?")
        assert (await socket.error())["message"] == words(sanction)


# Saying something.


async def test_a_message_goes_to_everyone_and_is_the_sender_s_acknowledgement(lobby: Room, alice: User) -> None:
    async with connect(LOBBY) as other:
        await other.next("joined")
        async with connect(LOBBY, user=alice) as socket:
            await socket.next("joined")
            await socket.command("send", text="Hi", id="7")
            event = await socket.event()
            assert event == await other.next("chat")
    assert without_time(event) == {"type": "chat", "seq": 1, "sender": "alice", "message": "Hi", "id": "7"}


@pytest.mark.parametrize("text", ["Hi", "\u00a0{}", "[1]", "Grüße 🎉", "a\nb", '"quoted"', "x" * 10_000])
async def test_a_bare_text_is_a_message(text: str, lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await socket.send(text)
        event = await socket.event()
        assert (event["type"], event["message"]) == ("chat", text)
        assert "id" not in event


async def test_everyone_gets_everything_in_one_order(lobby: Room) -> None:
    async with connect(LOBBY) as one, connect(LOBBY) as two:
        for socket in (one, two):
            await socket.next("joined")
        for number in range(20):
            await (one, two)[number % 2].send(str(number))
        heard = [[(await socket.next("chat"))["seq"] for _ in range(20)] for socket in (one, two)]
    assert heard == [list(range(1, 21))] * 2


async def test_what_is_acknowledged_is_stored(lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        event = await say(socket, "Hi")
        assert (await db.run(Message.objects.get)).seq == event["seq"]


async def test_a_repeat_is_answered_to_its_sender_only(lobby: Room, alice: User) -> None:
    async with connect(LOBBY, user=alice) as socket, connect(LOBBY) as other:
        await socket.next("joined")
        await other.next("joined")
        first = await say(socket, "Hi", id="7")
        await socket.command("send", text="Hi", id="7")
        again = await socket.next("chat")
        assert again == {**first, "duplicate": True}
        await say(socket, "end")
        assert seqs([await other.next("chat"), await other.next("chat")]) == [1, 2]


async def test_a_repeat_from_another_connection_of_the_same_user_is_a_repeat(lobby: Room, alice: User) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        await say(socket, "Hi", id="7")
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        await socket.command("send", text="Hi", id="7")
        assert (await socket.next("chat"))["duplicate"]


async def test_guests_without_a_cookie_have_ids_of_their_own(lobby: Room) -> None:
    async with connect(LOBBY) as one, connect(LOBBY) as two:
        for socket in (one, two):
            await socket.next("joined")
        await say(one, "Hi", id="7")
        await two.next("chat")
        await two.command("send", text="Ho", id="7")
        assert (await two.next("chat"))["message"] == "Ho"


async def test_a_used_id_with_another_text_is_a_conflict(lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await say(socket, "Hi", id="7")
        await socket.command("send", text="Ho", id="7")
        error = await socket.error()
        assert (error["code"], error["id"]) == ("id_conflict", "7")


async def test_a_repeat_of_what_was_deleted_is_acknowledged_with_its_id(lobby: Room, alice: User) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        await say(socket, "Hi", id="7")
        await socket.command("delete", seq=1)
        await socket.next("deleted")
        await socket.command("send", text="Hi", id="7")
        assert without_time(await socket.event()) == {
            "type": "chat",
            "seq": 1,
            "deleted": True,
            "sender": "alice",
            "id": "7",
            "duplicate": True,
        }


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("x" * 10_001, "too_long"),
        (json.dumps({"action": "send", "text": "x" * 10_001}), "too_long"),
        ("", "invalid"),
        ('{"action":"send","text":""}', "invalid"),
        ('{"action":"send"}', "invalid"),
        ('{"action":"send","text":5}', "invalid"),
        ('{"action":"send","text":"Hi","id":5}', "invalid"),
        ('{"action":"send","text":"Hi","id":""}', "invalid"),
        (json.dumps({"action": "send", "text": "Hi", "id": "x" * 65}), "invalid"),
        (json.dumps({"action": "send", "text": "Hi", "id": "\x00"}), "invalid"),
        (json.dumps({"action": "send", "text": "a\x00b"}), "invalid"),
        ("a\x00b", "invalid"),
        ("a\x1b[31mb", "invalid"),
        (r'{"action":"send","text":"\ud800"}', "bad_json"),
        ("{not json", "bad_json"),
        ('{"action":"send","text":' + "[" * 5000, "bad_json"),
        ('{"action":"shout"}', "unsupported_action"),
    ],
)
async def test_what_cannot_be_said_is_told_and_the_room_goes_on(frame: str, code: str, lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await socket.send(frame)
        assert (await socket.error())["code"] == code
        assert (await say(socket, "still here"))["seq"] == 1


async def test_binary_closes_with_1003(lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await socket.send(b"Hi")
        assert (await socket.closed())[0] == 1003


async def test_a_locked_database_is_unavailable_and_the_same_id_may_be_sent_again(
    lobby: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        with monkeypatch.context() as patch:
            patch.setattr(db, "WAIT_SECONDS", 0.1)
            async with held(lobby):
                await socket.command("send", text="Hi", id="7")
                error = await socket.error()
                assert (error["code"], error["id"]) == ("unavailable", "7")
        await socket.command("send", text="Hi", id="7")
        assert (await socket.next("chat", id="7"))["seq"] == 1
        assert await db.run(Message.objects.count) == 1


async def test_what_a_view_says_reaches_the_room(lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await db.run(lobby.post, ALICE, "from a view")
        assert (await socket.event())["message"] == "from a view"


# Deleting.


async def test_everyone_is_told_of_a_deletion(lobby: Room, alice: User) -> None:
    async with connect(LOBBY, user=alice) as socket, connect(LOBBY) as other:
        await socket.next("joined")
        await other.next("joined")
        await say(socket, "oops")
        await socket.command("delete", seq=1, id="8")
        event = await socket.next("deleted")
        assert event == await other.next("deleted")
        assert without_time(event) == {"type": "deleted", "seq": 2, "target": 1, "by": "alice", "id": "8"}


async def test_a_deleted_text_is_nowhere_any_more(lobby: Room, alice: User) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        await say(socket, "secret")
        await socket.command("delete", seq=1)
        await socket.next("deleted")
        await socket.command("history")
        history = str(await socket.frame())
        async with connect(LOBBY) as later:
            joined = str(await later.frame())
    assert "secret" not in history + joined
    tombstone, deleted = json.loads(joined)["messages"]
    assert without_time(tombstone) == {"type": "chat", "seq": 1, "deleted": True, "sender": "alice"}
    assert deleted["target"] == 1


async def test_only_one_s_own_messages_can_be_deleted(lobby: Room, bob: User) -> None:
    await said(lobby, "Alice's")
    async with connect(LOBBY, user=bob) as socket:
        await socket.next("joined")
        await socket.command("delete", seq=1, id="8")
        error = await socket.error()
        assert (error["code"], error["id"]) == ("forbidden", "8")


async def test_a_moderator_deletes_any(lobby: Room, bob: User) -> None:
    await said(lobby, "Alice's")
    await db.run(lambda: bob.user_permissions.add(Permission.objects.get(codename="moderate_room")))
    async with connect(LOBBY, user=bob) as socket:
        await socket.next("joined")
        await socket.command("delete", seq=1)
        assert (await socket.next("deleted"))["by"] == "bob"


@pytest.mark.parametrize(("seq", "code"), [(9, "not_found"), (0, "invalid"), (2**63, "invalid"), ("1", "invalid")])
async def test_what_is_not_there_cannot_be_deleted(seq: object, code: str, lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await socket.command("delete", seq=seq)
        assert (await socket.error())["code"] == code


async def test_a_repeated_deletion_is_answered_as_one(lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await say(socket, "oops")
        await socket.command("delete", seq=1, id="8")
        first = await socket.next("deleted")
        await socket.command("delete", seq=1, id="8")
        assert await socket.event() == {**first, "duplicate": True}


# History.


async def test_history_goes_back_page_by_page(lobby: Room) -> None:
    await said(lobby, *[str(number) for number in range(1, 8)])
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await socket.command("history", limit=3, id="9")
        first = await socket.event()
        assert (first["type"], first["id"], seqs(first["messages"]), first["more"]) == ("history", "9", [5, 6, 7], True)
        await socket.command("history", before=5, limit=4)
        last = await socket.event()
        assert (seqs(last["messages"]), last["more"]) == ([1, 2, 3, 4], False)
        await socket.command("history", before=1)
        assert (await socket.event())["messages"] == []


async def test_history_is_fifty_entries_unless_asked(lobby: Room) -> None:
    await said(lobby, *["x"] * 60)
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await socket.command("history")
        assert len((await socket.event())["messages"]) == 50


@pytest.mark.parametrize("fields", [{"limit": 0}, {"limit": 301}, {"before": 0}, {"before": -1}, {"limit": "5"}])
async def test_history_has_bounds(fields: dict[str, object], lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await socket.command("history", **fields)
        error = await socket.error()
        assert (error["code"], list(error["fields"])) == ("invalid", list(fields))


async def test_a_page_of_history_is_no_larger_than_a_frame_of_a_replay_and_says_that_there_is_more(lobby: Room) -> None:
    """It would count as what a slow reader has not read, and close one that is not slow."""
    await said(lobby, *["x" * 10_000] * 100)
    async with connect(LOBBY) as socket:
        await socket.before("joined")
        found: list[int] = []
        before = 101
        while before > 1:
            await socket.command("history", before=before, limit=100)
            frame = str(await socket.frame())
            while json.loads(frame)["type"] != "history":
                frame = str(await socket.frame())
            page = json.loads(frame)
            assert len(frame.encode()) <= FRAME_BYTES
            assert page["more"] == (page["messages"][0]["seq"] > 1)
            found = seqs(page["messages"]) + found
            before = found[0]
    assert found == list(range(1, 101))


# Typing.


async def test_typing_is_told_to_the_others_once_in_a_while(lobby: Room, alice: User, bob: User) -> None:
    async with (
        connect(LOBBY, user=alice) as socket,
        connect(LOBBY, user=bob) as other,
        connect(LOBBY, user=alice) as tab,
    ):
        await other.next("joined")
        await tab.next("joined")
        for typist in (socket, socket, tab):
            await typist.command("typing")
        await say(socket, "Hi")
        events = await other.before("chat")
        [typing] = [event for event in events if event["type"] == "typing"]
        assert anonymous(typing) == {"type": "typing", "sender": "alice"}
        assert "typing" not in [event["type"] for event in await tab.before("chat")]


async def test_each_types_for_themselves(lobby: Room, alice: User, bob: User) -> None:
    async with connect(LOBBY) as reader, connect(LOBBY, user=alice) as one, connect(LOBBY, user=bob) as two:
        for socket in (reader, one, two):
            await socket.next("joined")
        await one.command("typing")
        assert (await reader.next("typing"))["sender"] == "alice"
        await two.command("typing")
        assert (await reader.next("typing"))["sender"] == "bob"


# Who comes and goes.


async def test_others_are_told_who_comes_and_goes(lobby: Room, alice: User, bob: User) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        async with connect(LOBBY, user=bob) as other:
            assert (await other.event())["type"] == "joined"
            assert without_time(await socket.event()) == {
                "type": "system",
                "event": "join",
                "message": "bob joined the chat",
                "name": "bob",
                "users": {"count": 2},
            }
            await say(socket, "end")
            assert (await other.event())["type"] == "chat"  # and nothing of oneself came before
        assert without_time(await socket.next("system")) == {
            "type": "system",
            "event": "leave",
            "message": "bob left the chat",
            "name": "bob",
            "users": {"count": 1},
        }


async def test_another_tab_is_nobody_new(lobby: Room, alice: User, bob: User) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        async with connect(LOBBY, user=bob) as tab:
            await socket.next("system", event="join")
            async with connect(LOBBY, user=bob) as another:
                await another.next("joined")
            await asyncio.sleep(0.2)
            await tab.send("still here")
            assert (await socket.event())["type"] == "chat"


async def test_a_reload_shows_nothing(lobby: Room, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_module, "GRACE_SECONDS", 0.8)
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        async with connect(LOBBY, user=bob):
            await socket.next("system", event="join")
        async with connect(LOBBY, user=bob) as back:
            await back.next("joined")
            await asyncio.sleep(1)
            await back.send("still here")
            assert (await socket.event())["type"] == "chat"


async def test_in_a_crowd_events_tell_how_many(lobby: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        presence = current_hub().presence
        group = lobby.key.replace(":", ".")
        for number in range(120):
            await presence.open(group, lambda _change: None)
            presence.enter(group, f"user:{number}", f"person{number}")
        event = await socket.next("system", users={"count": 121})
        assert event["message"] == f"{event['people']} people joined the chat"


# Logging in on an open socket.


async def test_a_login_gives_a_new_joined_and_a_new_name(lobby: Room, secret: str) -> None:
    await said(lobby, "a")
    async with connect(LOBBY) as reader:
        await reader.next("joined")
        async with connect(LOBBY) as socket:
            guest = (await socket.next("joined"))["you"]
            await reader.next("system", event="join")
            await socket.send(json.dumps({"token": secret}))
            assert anonymous(await socket.event()) == {"type": "auth", "status": "ok", "username": "alice"}
            joined = await socket.event()
            assert (joined["type"], joined["you"], joined["seq"]) == ("joined", "alice", 1)
            assert (joined["recovered"], joined["messages"]) == (True, [])
            assert "alice" in joined["users"]["names"]
            assert (await say(socket, "now as alice"))["sender"] == "alice"
            told: set[str] = set()
            while not {"alice joined the chat", "now as alice", f"{guest} left the chat"} <= told:
                told.add((await reader.event()).get("message", ""))


async def test_after_a_login_nothing_comes_twice_and_nothing_is_missing(lobby: Room, secret: str) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await socket.send("one")
        await socket.send(json.dumps({"token": secret}))
        await socket.send("two")
        chats: list[int] = []
        while len(chats) < 2:
            event = await socket.event()
            chats += seqs(event["messages"]) if event["type"] == "joined" else []
            chats += [event["seq"]] if event["type"] == "chat" else []
    assert chats == [1, 2]


async def test_a_login_by_a_token_that_may_not_read_ends_the_visit(lobby: Room, alice: User) -> None:
    _, secret = await db.run(Token.issue, alice, "writer", ["chat:write"])
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        await socket.send(json.dumps({"token": secret}))
        await socket.next("auth", status="ok")
        assert (await socket.error())["code"] == "forbidden"
        assert (await socket.closed())[0] == 4506


async def test_a_login_opens_what_guests_may_not_do(alice: User, secret: str) -> None:
    await db.run(lambda: Room.objects.create(name="lobby", guest_access="read"))
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await socket.send("as a guest")
        assert (await socket.error())["code"] == "forbidden"
        await socket.send(json.dumps({"token": secret}))
        await socket.next("joined")
        assert (await say(socket, "as alice"))["sender"] == "alice"


# Who may what.


@pytest.fixture
def closed_room(db: None) -> Room:
    return Room.objects.create(name="lobby", guest_access="none", member_access="read")


async def test_who_may_not_read_is_told_and_closed(closed_room: Room) -> None:
    async with connect(LOBBY) as socket:
        assert await socket.event() == {
            "type": "error",
            "code": "forbidden",
            "message": "Guests may not read here. Log in first.",
        }
        assert (await socket.closed())[0] == 4506


async def test_who_was_refused_was_never_here(closed_room: Room, alice: User) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        async with connect(LOBBY) as guest:
            await guest.error()
        assert await socket.silent(0.15)


async def test_a_closed_room_can_be_entered_by_a_login_first(closed_room: Room, secret: str) -> None:
    async with connect(f"{LOBBY}?login=message") as socket:
        await socket.send(json.dumps({"token": secret}))
        assert (await socket.event())["type"] == "auth"
        assert (await socket.event())["you"] == "alice"


@pytest.mark.parametrize(
    "command", [{"action": "send", "text": "x"}, {"action": "delete", "seq": 1}, {"action": "typing"}]
)
async def test_who_may_only_read_can_do_nothing_else(command: dict[str, Any], closed_room: Room, alice: User) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        await socket.send(json.dumps({**command, "id": "7"}))
        error = await socket.error()
        assert (error["code"], error["id"]) == ("forbidden", "7")
        await socket.command("history")
        assert (await socket.event())["type"] == "history"


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        (["*"], True, True),
        (["chat:read"], True, False),
        (["chat:write"], False, False),
        (["chat:read:lobby", "chat:write:lobby"], True, True),
        (["chat:read:other"], False, False),
        (["counter:read"], False, False),
    ],
)
async def test_a_token_may_what_its_scopes_say(
    scopes: list[str], reads: bool, writes: bool, lobby: Room, alice: User
) -> None:
    _, secret = await db.run(Token.issue, alice, "narrow", scopes)
    async with connect(LOBBY, secret=secret) as socket:
        first = await socket.event()
        assert first["type"] == ("joined" if reads else "error")
        if not reads:
            assert (await socket.closed())[0] == 4506
            return
        await socket.send("Hi")
        assert (await socket.event())["type"] == ("chat" if writes else "error")


async def test_a_room_that_is_not_there_is_told_and_closed() -> None:
    async with connect(LOBBY) as socket:
        assert (await socket.error())["code"] == "not_found"
        assert (await socket.closed())[0] == 4504


async def test_in_development_a_room_is_made_by_its_first_visitor(development: None) -> None:
    async with connect("/ws/chat/New-Room/") as socket:
        assert (await socket.next("joined"))["room"] == "new-room"
        assert (await say(socket, "first"))["seq"] == 1


# Line by line.


async def test_a_plain_client_gets_its_own_message_first(lobby: Room) -> None:
    await said(lobby, "earlier")
    async with connect(f"{LOBBY}?plain=1") as socket:
        await socket.send("Hi")
        event = await socket.event()
        assert (event["type"], event["message"], event["seq"]) == ("chat", "Hi", 2)


async def test_a_plain_client_gets_nothing_unasked_however_much_was_said(lobby: Room) -> None:
    await said(lobby, *["x" * 10_000] * 50)
    async with connect(f"{LOBBY}?plain=1") as socket:
        await socket.send("Hi")
        assert (await socket.event())["message"] == "Hi"


async def test_a_plain_client_gets_chat_and_system_frames_only(lobby: Room, alice: User) -> None:
    async with connect(f"{LOBBY}?plain=1") as socket:
        await socket.send("here")
        await socket.next("chat")
        async with connect(LOBBY, user=alice) as other:
            await other.next("joined")
            await other.command("typing")
            await say(other, "oops")
            await other.command("delete", seq=2)
            await other.next("deleted")
            await say(other, "end")
            kinds = [(await socket.event())["type"] for _ in range(3)]
    assert kinds == ["system", "chat", "chat"]


async def test_a_plain_client_that_comes_back_gets_what_it_missed_line_by_line(lobby: Room) -> None:
    await said(lobby, *"abc")
    await db.run(lobby.delete_message, ALICE, 3)
    async with connect(f"{LOBBY}?plain=1&since=1&epoch={lobby.epoch}") as socket:
        await socket.send("live")
        events = [await socket.event() for _ in range(3)]
    assert seqs(events) == [2, 3, 5]
    assert events[1]["deleted"]


async def test_a_plain_client_s_ping_is_answered(lobby: Room) -> None:
    async with connect(f"{LOBBY}?plain=1") as socket:
        await socket.command("ping", id="7")
        assert await socket.event() == {"type": "pong", "id": "7"}


async def test_a_ping_is_answered_though_it_came_before_joined(lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.command("ping", id="7")
        assert [(await socket.event())["type"] for _ in range(2)] == ["joined", "pong"]


async def test_a_plain_client_is_told_of_errors(lobby: Room) -> None:
    async with connect(f"{LOBBY}?plain=1") as socket:
        await socket.send("x" * 10_001)
        assert (await socket.error())["code"] == "too_long"


# The end.


async def test_who_is_gone_is_in_no_group_and_nowhere_present(lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
    await until(lambda: not followed())


async def test_what_many_read_costs_more(lobby: Room, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.hub.hub.SOCKETS_PER_COST", 1)
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 2, 0.1
    async with connect(LOBBY) as one, connect(LOBBY):
        await one.send("to two")
        await one.next("chat")
        await one.send("too soon")
        assert (await one.next("error"))["code"] == "rate_limited"


async def flood(room: Room) -> None:
    """Have fifty messages come in one turn."""
    for batch in [await write(room, *["x" * 100] * 5) for _ in range(10)]:
        current_hub().committed(batch)


@pytest.mark.parametrize("path", [LOBBY, f"{LOBBY}?plain=1"])
async def test_a_reader_who_is_slow_for_a_moment_gets_all_once_and_in_order(
    path: str, lobby: Room, settings: Settings
) -> None:
    settings.CHORUS_OUTBOX_BYTES = 2000
    async with connect(path) as socket, connect(LOBBY) as other:
        await other.next("joined")
        await flood(lobby)
        got: list[int] = []
        while len(got) < 50:
            event = await socket.event()
            got += [each["seq"] for each in event.get("messages", [event]) if each["type"] == "chat"]
        assert got == list(range(1, 51))
        await other.next("replay")
        current_hub().committed(await write(lobby, "live again"))
        assert (await socket.next("chat"))["seq"] == 51


async def test_a_slow_reader_is_told_who_is_here_if_comings_passed_it_by(lobby: Room, settings: Settings) -> None:
    settings.CHORUS_OUTBOX_BYTES = 2000
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        hub = current_hub()
        for batch in [await write(lobby, *["x" * 100] * 5) for _ in range(10)]:
            hub.committed(batch)
        hub.push(group_of(lobby.key), "system", '{"type": "system"}')
        joined = await socket.next("joined")
        assert (joined["recovered"], joined["seq"], joined["messages"]) == (True, 50, [])
        assert joined["users"]["count"] == 1


async def test_a_reader_who_is_slow_again_and_again_is_closed(lobby: Room, settings: Settings) -> None:
    settings.CHORUS_OUTBOX_BYTES = 2000
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        for seq in (50, 100, 150):
            await flood(lobby)
            while (event := await socket.event()).get("messages", [event])[-1]["seq"] < seq:
                pass
        await flood(lobby)
        assert await socket.ended() == (4000, "slow reader")
    async with connect(f"{LOBBY}?since=150&epoch={lobby.epoch}") as back:
        joined = await back.next("joined")
        assert (joined["recovered"], len(joined["messages"])) == (True, 50)


# Secrets.


@pytest.mark.parametrize("lead", ["\n", " ", "\ufeff"])
async def test_a_login_behind_a_blank_is_a_login_and_no_message(lobby: Room, secret: str, lead: str) -> None:
    async with connect(LOBBY) as one, connect(LOBBY) as other:
        await one.next("joined")
        await other.next("joined")
        await one.send(lead + json.dumps({"action": "auth", "token": secret}))
        assert (await one.next("auth"))["status"] == "ok"
    assert not await Message.objects.aexists()


@pytest.mark.parametrize("around", ["{}", '\u00a0{{"token": "{}"}}', "my token is {}!"])
async def test_a_text_that_holds_a_token_is_not_said(lobby: Room, secret: str, around: str) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await socket.send(around.format(secret))
        error = await socket.next("error")
        assert (error["code"], error["fields"]) == ("invalid", {"text": NOT_SAYABLE})
        assert secret not in str(error)
    assert not await Message.objects.aexists()


@pytest.mark.parametrize("text", [" ", "\n\n", "\u00a0\u2003", "\ufeff"])
async def test_what_shows_nothing_is_not_said_as_on_the_page(lobby: Room, text: str) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await socket.command("send", text=text)
        assert (await socket.next("error"))["fields"] == {"text": "expected some text"}
        await socket.send(text)
        assert (await socket.next("error"))["fields"] == {"text": "expected some text"}
    assert not await Message.objects.aexists()


async def test_nor_is_an_id_or_what_code_says(lobby: Room, secret: str) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await socket.command("send", text="hi", id=secret)
        assert (await socket.next("error"))["fields"] == {"id": NOT_SAYABLE}
    with pytest.raises(Refused, match=NOT_SAYABLE):
        await db.run(lobby.post, ALICE, secret)


# Who is who.


async def test_whoever_is_named_is_named_by_their_id_too(lobby: Room, alice: User, bob: User) -> None:
    async with connect(LOBBY, user=alice) as reader, connect(LOBBY, user=bob) as socket:
        mine, theirs = (await reader.next("joined"))["you_id"], (await socket.next("joined"))["you_id"]
        await socket.command("typing")
        said = await say(socket, "Hi")
        await socket.command("delete", seq=said["seq"])
        events = [await reader.next(name) for name in ("system", "typing", "chat", "deleted")]
    assert mine != theirs
    assert [event.get("sender_id", event.get("by_id")) for event in events] == [theirs] * 4


async def test_an_id_stays_and_is_among_those_who_are_here_and_in_what_is_read_back(lobby: Room, alice: User) -> None:
    async with connect(LOBBY, user=alice) as socket:
        said = await say(socket, "Hi")
        await socket.command("delete", seq=1)
        await socket.next("deleted")
    async with connect(LOBBY, user=alice) as socket:
        joined = await socket.next("joined")
    tombstone, deletion = joined["messages"]
    ids = {said["sender_id"], joined["you_id"], tombstone["sender_id"], deletion["by_id"]}
    assert ids == {joined["users"]["people"][0]["id"]}


async def test_tabs_of_a_guest_with_our_cookie_have_one_id_and_others_one_each(lobby: Room) -> None:
    signer = signing.TimestampSigner(salt="chorus.guest")
    cookie = {"cookie": f"{COOKIE}={signer.sign('some-guest')}", "origin": OWN_ORIGIN}
    seen = []
    for headers in (cookie, cookie, {}, {}):
        async with connect(LOBBY, headers=headers) as socket:
            seen.append((await socket.next("joined"))["you_id"])
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3
    assert await db.run(list, Person.objects.values_list("key", flat=True)) == ["guest:some-guest"]


async def test_a_rename_reaches_everyone_who_is_there_and_what_is_said_next(lobby: Room, alice: User) -> None:
    async with connect(LOBBY, user=alice) as socket, connect(LOBBY) as reader:
        await reader.next("joined")
        before = await say(socket, "Hi")
        alice.username = "alicia"
        await db.run(alice.save)
        told = [without_time(await each.next("renamed")) for each in (socket, reader)]
        after = await say(socket, "Hi again")
        async with connect(LOBBY) as later:
            users = (await later.next("joined"))["users"]
    assert told == [{"type": "renamed", "name": "alicia", "was": "alice"}] * 2
    assert (before["sender"], after["sender"], after["sender_id"]) == ("alice", "alicia", before["sender_id"])
    assert "alicia" in users["names"]
    assert "alice" not in users["names"]


async def test_guests_in_a_room_have_names_of_their_own(lobby: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "guest_name", lambda key, attempt=0: "Guest-1111111")
    async with connect(LOBBY) as one:
        first = (await one.next("joined"))["you"]
        async with connect(LOBBY) as other:
            second = (await other.next("joined"))["you"]
            said = await say(other, "Hi")
        shown = await one.next("system", event="join")
    assert first == "Guest-1111111" != second
    assert said["sender"] == shown["name"] == second


async def test_a_moderator_deletes_where_nobody_may_write(lobby: Room, mod: User, alice: User) -> None:
    await said(lobby, "spam")
    await db.run(lambda: Room.objects.update(member_access=AccessLevel.READ))
    async with connect(LOBBY, user=alice) as member, connect(LOBBY, user=mod) as moderator:
        await member.command("delete", seq=1)
        assert (await member.next("error"))["code"] == "forbidden"
        await moderator.command("delete", seq=1)
        assert (await member.next("deleted"))["by"] == "mod"
        await moderator.command("send", text="Hi")
        assert (await moderator.next("error"))["code"] == "forbidden"
