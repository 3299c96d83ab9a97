"""Who open sockets speak for, and what they may, is looked at again: at once when told, and now and then."""

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import OperationalError, connection, transaction
from django.db.models import Model
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Token
from accounts.secret import new_secret
from accounts.verify import verify
from chat.models import Room, Sanction
from counter.models import Counter
from notifications.models import Topic
from realtime import db
from realtime.access import Identity
from realtime.connections import review
from realtime.connections.review import assess
from realtime.hub.hub import current_hub
from realtime.testing import OWN_ORIGIN, Socket, connect, until

pytestmark = pytest.mark.django_db(transaction=True)
LOBBY = "/ws/chat/lobby/"
OPS = Identity("user:0", "ops")


async def do(change: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Change something, as a view would."""
    await db.run(change, *args, **kwargs)


async def said(socket: Socket, text: str = "hi") -> str:
    """What comes of saying something: `chat`, or an error's code."""
    await socket.command("send", text=text)
    while (event := await socket.event())["type"] not in {"chat", "error"}:
        pass
    return str(event.get("code", "chat"))


async def until_said(socket: Socket, outcome: str) -> None:
    """Say something until that comes of it."""
    async with asyncio.timeout(5):
        while await said(socket) != outcome:  # noqa: ASYNC110 - time alone brings it about
            await asyncio.sleep(0.1)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many sockets each chunk had that was looked at."""
    sizes: list[int] = []

    def assess_and_note(asked: Any) -> Any:
        sizes.append(len(asked))
        return assess(asked)

    monkeypatch.setattr(review, "assess", assess_and_note)
    return sizes


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def from_browser(client: Client) -> dict[str, Any]:
    """For a socket that this browser opens."""
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    return {"headers": {"origin": OWN_ORIGIN, "cookie": cookie}}


def private(room: Room) -> None:
    """Let nobody in but whom it names."""
    room.guest_access = room.member_access = "none"
    room.save()


# Who is nobody any more.


def deactivate(user: User) -> None:
    user.is_active = False
    user.save()


def set_password(user: User) -> None:
    user.set_password("another one")
    user.save()


@pytest.mark.parametrize(
    ("change", "reason"),
    [(deactivate, "user deactivated"), (Model.delete, "user deactivated"), (set_password, "logged out")],
)
async def test_a_session_s_socket_closes_with_its_user(
    lobby: Room, alice: User, change: Callable[[User], None], reason: str
) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        await do(change, alice)
        assert await socket.ended() == (4503, reason)


@pytest.mark.parametrize("change", [deactivate, Model.delete])
async def test_a_token_s_socket_closes_with_its_user(alice: User, secret: str, change: Callable[[User], None]) -> None:
    async with connect("/ws/echo/", secret=secret) as socket:
        await do(change, alice)
        assert await socket.ended() == (4503, "user deactivated")


@pytest.mark.parametrize("change", [Token.revoke, Token.delete])
async def test_a_token_s_sockets_close_with_it_and_no_others(
    lobby: Room, alice: User, token: Token, secret: str, change: Callable[[Token], None]
) -> None:
    async with connect(LOBBY, secret=secret) as socket, connect(LOBBY, user=alice) as other:
        await socket.next("joined")
        await do(change, token)
        assert await socket.ended() == (4503, "token revoked or expired")
        assert await said(other) == "chat"


async def test_a_token_that_logged_in_by_message_is_looked_at_too(token: Token, secret: str) -> None:
    async with connect("/ws/secure-echo/") as socket:
        await socket.send(f'{{"token": "{secret}"}}')
        await socket.next("auth")
        await do(token.revoke)
        assert (await socket.ended())[0] == 4503


async def test_a_logout_closes_the_browser_s_sockets_and_not_those_of_another(lobby: Room, alice: User) -> None:
    client, other = await db.run(browser_of, alice), await db.run(browser_of, alice)
    async with connect(LOBBY, **from_browser(client)) as socket, connect(LOBBY, **from_browser(other)) as stays:
        await socket.next("joined")
        await do(client.post, "/accounts/logout/")
        assert await socket.ended() == (4503, "logged out")
        assert await said(stays) == "chat"


async def test_a_login_has_nobody_looked_at(lobby: Room, alice: User, looked: list[int]) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await do(browser_of, alice)
        await do(alice.save)
        await until(lambda: looked)
        assert await said(socket) == "chat"
    assert looked == [1]


# A token's time.


async def expire_in(token: Token, seconds: float) -> None:
    await do(Token.objects.filter(pk=token.pk).update, expires_at=Now() + timedelta(seconds=seconds))


@pytest.mark.parametrize("by_message", [False, True])
async def test_a_socket_ends_with_its_token_s_time(token: Token, secret: str, by_message: bool) -> None:
    await expire_in(token, 1.5)
    started = time.monotonic()
    async with connect("/ws/secure-echo/", secret=None if by_message else secret) as socket:
        if by_message:
            await socket.send(f'{{"token": "{secret}"}}')
        assert await socket.ended() == (4503, "token expired")
    assert 1.3 < time.monotonic() - started < 2.3


async def test_a_token_that_expires_long_after_the_next_review_is_found_in_time(
    token: Token, secret: str, settings: Settings
) -> None:
    settings.CHORUS_REVIEW_INTERVAL = 0.4
    await expire_in(token, 1.5)
    started = time.monotonic()
    async with connect("/ws/echo/", secret=secret) as socket:
        consumer: Any = next(iter(current_hub().sockets))
        assert consumer._expiry is None  # noqa: SLF001 - else this is the test above
        assert (await socket.ended())[0] == 4503
    assert 1.3 < time.monotonic() - started < 2.3


async def test_a_token_that_is_given_more_time_lives_on(token: Token, secret: str) -> None:
    await expire_in(token, 0.6)
    async with connect("/ws/echo/", secret=secret) as socket:
        token.expires_at = None
        await do(token.save)
        await asyncio.sleep(0.8)
        await socket.send("still here")
        assert await socket.frame() == "still here"


# What they may.


async def test_narrower_scopes_hold_on_an_open_socket(lobby: Room, token: Token, secret: str) -> None:
    async with connect(LOBBY, secret=secret) as socket:
        assert await said(socket) == "chat"
        token.scopes = ["chat:read"]
        await do(token.save)
        await until_said(socket, "forbidden")
        token.scopes = ["chat:write"]
        await do(token.save)
        assert (await socket.ended())[0] == 4506


async def test_wider_scopes_hold_too(lobby: Room, alice: User) -> None:
    token, secret = await db.run(Token.issue, alice, "reader", ["chat:read"])
    async with connect(LOBBY, secret=secret) as socket:
        assert await said(socket) == "forbidden"
        token.scopes = ["*"]
        await do(token.save)
        await until_said(socket, "chat")


async def test_who_is_as_before_is_not_kept_twice(lobby: Room, alice: User) -> None:
    _, secret = await db.run(Token.issue, alice, "program")
    async with connect(LOBBY, secret=secret) as socket:
        await socket.next("joined")
        [consumer] = current_hub().sockets
        before = consumer.identity
        hub = current_hub()
        await hub.review._look([consumer])  # noqa: SLF001 - as now and then
        assert consumer.identity is before
        await do(User.objects.update, is_superuser=True)
        await hub.review._look([consumer])  # noqa: SLF001
        assert consumer.identity.is_superuser
        assert consumer.identity.sender_id == before.sender_id


async def test_who_leaves_a_group_leaves_its_rooms(lobby: Room, alice: User) -> None:
    team = await db.run(Group.objects.create, name="team")
    await do(alice.groups.add, team)
    await do(lobby.writer_groups.add, team)
    await do(private, lobby)
    async with connect(LOBBY, user=alice) as socket:
        assert await said(socket) == "chat"
        await do(alice.groups.remove, team)
        assert await socket.ended() == (4506, "Members may not read here.")


async def test_who_is_taken_from_a_room_s_people_leaves(lobby: Room, alice: User, bob: User) -> None:
    await do(lobby.readers.set, [alice, bob])
    await do(private, lobby)
    async with connect(LOBBY, user=alice) as socket, connect(LOBBY, user=bob) as other:
        assert await said(other) == "forbidden"
        await do(lobby.readers.remove, alice)
        assert (await socket.ended())[0] == 4506
        await do(lobby.writers.add, bob)
        await until_said(other, "chat")


@pytest.mark.parametrize("level", ["read", "none"])
async def test_what_guests_may_changes_under_them(lobby: Room, level: str) -> None:
    async with connect(LOBBY) as socket:
        assert await said(socket) == "chat"
        lobby.guest_access = level
        await do(lobby.save)
        if level == "read":
            await until_said(socket, "forbidden")
        else:
            assert await socket.ended() == (4506, "Guests may not read here. Log in first.")


async def test_a_counter_s_access_changes_under_its_sockets(alice: User) -> None:
    counter = await db.run(Counter.objects.create, name="coffee")
    async with connect("/ws/counter/coffee/", user=alice) as socket:
        await socket.next("state")
        counter.member_access = "none"
        await do(counter.save)
        assert (await socket.ended())[0] == 4506


async def test_who_is_no_superuser_any_more_leaves_where_only_those_are(lobby: Room, root: User) -> None:
    await do(private, lobby)
    async with connect(LOBBY, user=root) as socket:
        assert await said(socket) == "chat"
        root.is_superuser = False
        await do(root.save)
        assert (await socket.ended())[0] == 4506


async def test_who_moderates_no_more_deletes_no_more(lobby: Room, alice: User, bob: User) -> None:
    permission = await db.run(Permission.objects.get, codename="moderate_room")
    await do(bob.user_permissions.add, permission)
    for _ in range(2):
        await do(lobby.post, OPS, "hi")
    async with connect(LOBBY, user=bob) as socket:
        await socket.command("delete", seq=1)
        await socket.next("deleted")
        before = next(iter(current_hub().sockets)).identity
        await do(bob.user_permissions.clear)
        await until(lambda: next(iter(current_hub().sockets)).identity is not before)
        await socket.command("delete", seq=2)
        assert (await socket.next("error"))["code"] == "forbidden"


# Sanctions.


async def test_a_mute_ends_by_itself(lobby: Room, alice: User) -> None:
    async with connect(LOBBY, user=alice) as socket:
        assert await said(socket) == "chat"
        started = time.monotonic()
        await do(lobby.sanction, Sanction.Kind.MUTE, Identity.of_user(alice), None, seconds=2.5)
        await until_said(socket, "forbidden")
        await until_said(socket, "chat")
        assert 2.2 < time.monotonic() - started < 4


async def test_a_mute_is_lifted(lobby: Room, alice: User) -> None:
    sanction = await db.run(lobby.sanction, Sanction.Kind.MUTE, Identity.of_user(alice), None)
    async with connect(LOBBY, user=alice) as socket:
        assert await said(socket) == "forbidden"
        await do(sanction.delete)
        await until_said(socket, "chat")


async def test_a_ban_closes_and_keeps_out(lobby: Room, alice: User, bob: User) -> None:
    async with connect(LOBBY, user=alice) as socket, connect(LOBBY, user=bob) as other:
        await socket.next("joined")
        await do(lobby.sanction, Sanction.Kind.BAN, Identity.of_user(alice), None)
        assert await socket.ended() == (4506, "You are banned from this room.")
        assert await said(other) == "chat"
    async with connect(LOBBY, user=alice) as socket:
        assert (await socket.error())["code"] == "forbidden"
        assert (await socket.closed())[0] == 4506


async def test_a_guest_is_muted_by_their_key(lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        (consumer,) = current_hub().sockets
        await do(lobby.sanction, Sanction.Kind.MUTE, consumer.identity, None)
        await until_said(socket, "forbidden")


# Topics.


async def test_a_subscription_ends_and_the_others_live_on(alice: User) -> None:
    alerts, backups = [await db.run(Topic.objects.create, name=name) for name in ("alerts", "backups")]
    async with connect("/ws/notifications/", user=alice) as socket:
        await socket.command("subscribe", topics=["alerts", "backups"])
        await socket.next("subscribed")
        alerts.member_access = "none"
        await do(alerts.save)
        error = await socket.error()
        assert (error["code"], error["message"]) == ("forbidden", "alerts: Members may not read here.")
        assert await socket.event() == {"type": "unsubscribed", "topics": ["alerts"]}
        await do(alerts.publish, OPS, "secret")
        await do(backups.publish, OPS, "public")
        assert (await socket.next("notification"))["message"] == "public"


async def test_a_narrower_token_ends_the_subscriptions_that_it_does_not_cover(token: Token, secret: str) -> None:
    await do(Topic.objects.create, name="alerts")
    async with connect("/ws/notifications/", secret=secret) as socket:
        await socket.command("subscribe", topics=["alerts", "me"])
        await socket.next("subscribed")
        token.scopes = ["notifications:subscribe:alerts"]
        await do(token.save)
        assert (await socket.next("unsubscribed"))["topics"] == ["me"]


async def test_a_topic_s_publisher_is_asked_each_time(alice: User) -> None:
    alerts = await db.run(Topic.objects.create, name="alerts")
    async with connect("/ws/notifications/", user=alice) as socket:
        alerts.member_access = "read"
        await do(Topic.objects.update, member_access="read")  # of which nobody is told
        await socket.command("publish", topic="alerts", message="hi")
        assert (await socket.error())["code"] == "forbidden"


# The review itself.


async def test_what_nobody_was_told_of_is_found_now_and_then(lobby: Room, alice: User, settings: Settings) -> None:
    settings.CHORUS_REVIEW_INTERVAL = 0.3
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        await do(User.objects.update, is_active=False)
        assert (await socket.ended())[0] == 4503


async def test_who_was_coming_in_when_it_was_told_is_looked_at_once_more(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review, "ONCE_MORE_SECONDS", 0.3)
    authenticate = Token.authenticate_all

    def authenticate_and_revoke(secrets: list[str]) -> dict[str, Token]:
        found = authenticate(secrets)
        for token in found.values():
            token.revoke()
        return found

    async with connect("/ws/echo/"):  # there is a process to be told
        monkeypatch.setattr(Token, "authenticate_all", authenticate_and_revoke)
        async with connect("/ws/echo/", secret=secret) as socket:
            assert (await socket.ended())[0] == 4503


async def test_who_has_logged_in_anew_meanwhile_is_left_alone(
    bob: User, token: Token, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, other = await db.run(Token.issue, bob, "other")
    assessed, go_on = threading.Event(), threading.Event()

    def hold(asked: Any) -> Any:
        answers = assess(asked)
        assessed.set()
        go_on.wait(5)
        return answers

    monkeypatch.setattr(review, "assess", hold)
    async with connect("/ws/secure-echo/", secret=secret) as socket:
        await do(token.revoke)
        await until(assessed.is_set)
        await socket.send(f'{{"token": "{other}"}}')
        assert (await socket.next("auth"))["username"] == "bob"
        go_on.set()
        await until(lambda: current_hub().review._working is None)  # noqa: SLF001 - nothing else shows it
        await socket.send("hi")
        assert await socket.frame() == "[bob] hi"


async def test_a_review_that_finds_no_database_tries_again(
    token: Token, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def away(asked: Any) -> Any:
        tries.append(asked)
        if len(tries) < 3:
            raise OperationalError("away")
        return assess(asked)

    monkeypatch.setattr(review, "AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(review, "assess", away)
    async with connect("/ws/echo/", secret=secret) as socket:
        await do(token.revoke)
        assert (await socket.ended())[0] == 4503


async def test_one_chunk_that_fails_keeps_no_other_from_being_looked_at(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def first_fails(asked: Any) -> Any:
        looked.append(len(asked))
        if len(looked) == 1:
            raise ZeroDivisionError
        return assess(asked)

    monkeypatch.setattr(review, "CHUNK", 1)
    monkeypatch.setattr(review, "assess", first_fails)
    async with connect("/ws/echo/", user=alice) as one, connect("/ws/echo/", user=alice) as two:
        await do(User.objects.update, is_active=False)
        current_hub().review.ask(users=[str(alice.pk)])
        assert (await one.ended(), await two.ended()) == ((4503, "user deactivated"),) * 2
    assert looked[:2] == [1, 1]


async def test_sockets_are_looked_at_in_chunks(alice: User, looked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "CHUNK", 2)
    async with (
        connect("/ws/echo/", user=alice),
        connect("/ws/echo/", user=alice),
        connect("/ws/echo/", user=alice),
        connect("/ws/echo/"),
    ):
        current_hub().review.ask(everyone=True)
        await until(lambda: sum(looked) == 4)
        assert looked == [2, 2]
        looked.clear()
        current_hub().review.ask(users=[str(alice.pk)])
        await until(lambda: sum(looked) == 3)
        assert looked == [2, 1]


async def test_only_those_in_a_stream_are_looked_at_for_it(lobby: Room, looked: list[int]) -> None:
    await do(Room.objects.create, name="den")
    async with connect(LOBBY) as one, connect("/ws/chat/den/") as two:
        await one.next("joined")
        await two.next("joined")
        await do(lobby.save)
        await until(lambda: looked)
        assert looked == [1]


def test_500_sockets_cost_a_few_queries(db: None) -> None:
    asked = [(identity, verify, frozenset(keys)) for identity, keys in crowd(500)]
    with CaptureQueriesContext(connection) as queries:
        answers = assess(asked)
    # Users, their groups, tokens; for each of three kinds of stream itself and its grants; sanctions.
    assert len(queries) == 3 + 3 * 5 + 1
    assert all(isinstance(now, Identity) for now, _ in answers)
    allowed = [right.read is None for _, rights in answers for right in rights.values() if right is not None]
    assert len(allowed) == 1500
    assert allowed.count(True) == 750  # of each second user


@transaction.atomic
def crowd(count: int) -> list[tuple[Identity, list[str]]]:
    """As many people, each in a private room, counter and topic of their own; each second one may read there."""
    users = User.objects.bulk_create([User(username=f"user-{number}") for number in range(count)])
    tokens = Token.objects.bulk_create(
        [Token(owner=user, name="some", scopes=["*"], digest=new_secret()) for user in users]
    )
    keys: list[list[str]] = [[] for _ in users]
    models: list[Any] = [Room, Counter, Topic]
    for model in models:
        nobody = {"guest_access": "none", "member_access": "none"}
        streams: list[Any] = model.objects.bulk_create([model(name=f"s-{n}", **nobody) for n in range(count)])
        through: Any = model._meta.get_field("readers").remote_field.through
        name = model._meta.model_name
        pairs = list(zip(streams, users, strict=True))[::2]
        through.objects.bulk_create(
            [through(**{f"{name}_id": stream.pk, "user_id": user.pk}) for stream, user in pairs]
        )
        for mine, stream in zip(keys, streams, strict=True):
            mine.append(stream.key)
    identities = [Identity.of_user(user, token) for user, token in zip(users, tokens, strict=True)]
    return list(zip(identities, keys, strict=True))
