"""The notifications socket, as transcripts: what is sent, what is answered, what everybody else gets."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction
from pytest_django import Settings

from accounts.models import Token
from notifications.models import Cursor, Notification, Topic
from realtime import db
from realtime.access import Identity
from realtime.hub.hub import current_hub
from realtime.hub.live import LiveStream
from realtime.processes import presence as presence_module
from realtime.protocol import Refused
from realtime.secrecy import NOT_SAYABLE
from realtime.streams.batch import PAGE
from realtime.testing import Event, Socket, connect, until
from tests.anonymous import anonymous
from tests.followed import followed

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/ws/notifications/"
OPS = Identity("user:1", "ops")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_module, "GRACE_SECONDS", 0.1)


async def told(topic: Topic, *messages: str) -> None:
    """Have something published already."""

    def publish() -> None:
        with transaction.atomic():
            for message in messages:
                topic.publish(OPS, message)

    await db.run(publish)


async def subscribe(socket: Socket, *topics: str, **fields: Any) -> Event:
    """Subscribe; returns the answer."""
    await socket.command("subscribe", topics=list(topics), **fields)
    event = await socket.event()
    assert event["type"] == "subscribed", event
    return event


async def publish(socket: Socket, topic: str, message: str, **fields: Any) -> Event:
    """Publish; returns the answer."""
    await socket.command("publish", topic=topic, message=message, **fields)
    return await socket.next("published")


async def messages(socket: Socket, count: int) -> list[str]:
    """What the next notifications say."""
    return [(await socket.next("notification"))["message"] for _ in range(count)]


def without_time(event: Event) -> Event:
    """An event without its timestamp, which is of now, and without ids of people, which are random."""
    timestamp = datetime.fromisoformat(event.pop("timestamp"))
    assert abs(timestamp - datetime.now(UTC)) < timedelta(minutes=1)
    found: Event = anonymous(event)
    return found


def since(topic: Topic, seq: int) -> dict[str, Any]:
    """A position in a topic, as a client keeps it."""
    return {topic.name: {"seq": seq, "epoch": topic.epoch}}


# Subscribing.


async def test_a_subscription_says_where_it_begins(alerts: Topic) -> None:
    await told(alerts, "earlier", "and earlier")
    async with connect(PATH) as socket:
        subscribed = anonymous(await subscribe(socket, "alerts", id="7"))
        assert subscribed.pop("you").startswith("Guest-")
        assert subscribed == {
            "type": "subscribed",
            "topics": ["alerts"],
            "streams": {"alerts": {"seq": 2, "epoch": alerts.epoch, "recovered": True}},
            "id": "7",
        }
        await told(alerts, "now")
        assert await messages(socket, 1) == ["now"]


async def test_nothing_comes_before_one_subscribes(alerts: Topic, alice: User) -> None:
    async with connect(PATH) as silent, connect(PATH, user=alice) as socket:
        await publish(socket, "alerts", "Hi")
        assert (await subscribe(silent, "alerts"))["streams"]["alerts"]["seq"] == 1


async def test_one_socket_follows_many_topics(alerts: Topic, backups: Topic) -> None:
    async with connect(PATH) as socket:
        assert (await subscribe(socket, "alerts"))["topics"] == ["alerts"]
        assert (await subscribe(socket, "backups"))["topics"] == ["backups"]
        await told(alerts, "one")
        await told(backups, "two")
        assert [(await socket.event())["topic"] for _ in range(2)] == ["alerts", "backups"]


@pytest.mark.parametrize("names", [["alerts", "alerts"], ["Alerts", "ALERTS"]])
async def test_a_topic_is_followed_once_however_often_and_however_it_is_named(names: list[str], alerts: Topic) -> None:
    async with connect(PATH) as socket:
        assert (await subscribe(socket, *names))["topics"] == ["alerts"]
        await subscribe(socket, "alerts")
        await told(alerts, "one", "two")
        assert await messages(socket, 2) == ["one", "two"]
        assert await current_hub().presence.count(f"notifications.topic.{alerts.pk}") == 1


async def test_me_is_the_same_as_at_and_the_own_name(alice: User) -> None:
    async with connect(PATH, user=alice) as socket:
        assert (await subscribe(socket, "@alice", "me"))["topics"] == ["me"]
        await told(await db.run(Topic.objects.open, "me", Identity.of_user(alice)), "one", "two")
        assert await messages(socket, 2) == ["one", "two"]


async def test_all_topics_are_subscribed_to_or_none(alerts: Topic, alice: User) -> None:
    async with connect(PATH) as socket:
        await socket.command("subscribe", topics=["alerts", "nothing"], id="7")
        error = await socket.error()
        assert (error["code"], error["id"]) == ("not_found", "7")
        assert error["message"].startswith("nothing: ")
        await told(alerts, "not for you")
        assert (await subscribe(socket, "alerts"))["streams"]["alerts"]["seq"] == 1


async def test_a_subscription_that_the_database_failed_is_none(alerts: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise db.Unavailable("the database restarts")

    async with connect(PATH) as socket:
        with monkeypatch.context() as broken:
            broken.setattr(LiveStream, "locate", fails)
            await socket.command("subscribe", topics=["alerts"], id="7")
            assert (await socket.error())["code"] == "unavailable"
        assert await current_hub().presence.count(f"notifications.topic.{alerts.pk}") == 0
        await subscribe(socket, "alerts")


@pytest.mark.parametrize(
    ("topic", "code"),
    [("nothing", "not_found"), ("a b", "invalid"), (".x", "invalid"), ("me", "forbidden"), ("@alice", "forbidden")],
)
async def test_what_cannot_be_subscribed_to_is_told_and_the_socket_goes_on(
    topic: str, code: str, alerts: Topic, alice: User
) -> None:
    async with connect(PATH) as socket:
        await socket.command("subscribe", topics=[topic])
        assert (await socket.error())["code"] == code
        await subscribe(socket, "alerts")


async def test_a_topic_that_guests_may_not_read_is_forbidden_to_them(alerts: Topic, alice: User) -> None:
    await db.run(lambda: Topic.objects.update(guest_access="none"))
    async with connect(PATH) as socket, connect(PATH, user=alice) as member:
        await socket.command("subscribe", topics=["alerts"])
        assert (await socket.error())["code"] == "forbidden"
        await subscribe(member, "alerts")


async def test_there_is_a_limit_to_topics(settings: Settings, development: None) -> None:
    settings.CHORUS_MAX_TOPICS = 3
    async with connect(PATH) as socket:
        await subscribe(socket, "a", "b")
        await socket.command("subscribe", topics=["b", "c", "d"], id="7")
        error = await socket.error()
        assert (error["code"], list(error["fields"]), error["id"]) == ("invalid", ["topics"], "7")
        await subscribe(socket, "b", "c")
        await socket.command("unsubscribe", topics=["a"])
        await socket.next("unsubscribed")
        await subscribe(socket, "d")


async def test_publishing_to_many_costs_more(
    alerts: Topic, alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.hub.hub.SOCKETS_PER_COST", 1)
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 0.1, 3
    async with connect(PATH, user=alice) as socket, connect(PATH) as guest:
        for each in (socket, guest):
            await subscribe(each, "alerts")
        await socket.command("publish", topic="alerts", message="to two")
        await socket.next("published")
        await socket.command("publish", topic="alerts", message="too soon")
        assert (await socket.next("error"))["code"] == "rate_limited"


async def test_subscribing_to_many_topics_costs_more(settings: Settings, development: None) -> None:
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 0.1, 3
    async with connect(PATH) as socket:
        await socket.command("subscribe", topics=[f"t{number}" for number in range(16)])
        await socket.next("subscribed")
        await socket.command("unsubscribe", topics=["t1"])
        assert (await socket.error())["code"] == "rate_limited"


async def test_a_limit_of_none_is_none(settings: Settings, development: None) -> None:
    settings.CHORUS_MAX_TOPICS = 0
    async with connect(PATH) as socket:
        assert len((await subscribe(socket, *[f"topic{number}" for number in range(130)]))["topics"]) == 130


# Unsubscribing.


async def test_who_unsubscribes_gets_no_more(alerts: Topic, backups: Topic) -> None:
    async with connect(PATH) as socket:
        await subscribe(socket, "alerts", "backups")
        await socket.command("unsubscribe", topics=["Alerts"], id="7")
        assert await socket.event() == {"type": "unsubscribed", "topics": ["alerts"], "id": "7"}
        await told(alerts, "not for you")
        await told(backups, "for you")
        assert (await socket.event())["message"] == "for you"


async def test_to_unsubscribe_from_what_one_does_not_follow_is_no_error(alerts: Topic) -> None:
    async with connect(PATH) as socket:
        await socket.command("unsubscribe", topics=["nothing", "alerts"])
        assert (await socket.event())["type"] == "unsubscribed"


async def test_who_unsubscribes_is_no_recipient(alerts: Topic, alice: User) -> None:
    async with connect(PATH, user=alice) as socket:
        await subscribe(socket, "alerts")
        assert (await publish(socket, "alerts", "one"))["recipients"] == 1
        await socket.command("unsubscribe", topics=["alerts"])
        assert (await publish(socket, "alerts", "two"))["recipients"] == 0


async def test_who_is_gone_is_in_no_group_and_nowhere_present(alerts: Topic, backups: Topic, alice: User) -> None:
    async with connect(PATH, user=alice) as socket:
        await subscribe(socket, "alerts", "backups", "me")
        assert followed()
    await until(lambda: not followed())


# Coming back.


async def test_who_comes_back_gets_exactly_what_was_missed(alerts: Topic) -> None:
    await told(alerts, *"abcde")
    async with connect(PATH) as socket:
        subscribed = await subscribe(socket, "alerts", since=since(alerts, 2))
        assert subscribed["streams"]["alerts"] == {"seq": 5, "epoch": alerts.epoch, "recovered": True}
        await told(alerts, "live")
        assert await messages(socket, 4) == ["c", "d", "e", "live"]


async def test_each_topic_is_resumed_where_it_was(alerts: Topic, backups: Topic) -> None:
    await told(alerts, *"abc")
    await told(backups, *"xyz")
    async with connect(PATH) as socket:
        await subscribe(socket, "alerts", "backups", since={**since(alerts, 2), **since(backups, 1)})
        assert await messages(socket, 3) == ["c", "y", "z"]


async def test_a_topic_without_a_position_begins_now(alerts: Topic, backups: Topic) -> None:
    await told(alerts, *"abc")
    await told(backups, *"xyz")
    async with connect(PATH) as socket:
        streams = (await subscribe(socket, "alerts", "backups", since=since(backups, 2)))["streams"]
        assert streams["alerts"]["recovered"]
        assert await messages(socket, 1) == ["z"]
        await told(alerts, "d")
        assert await messages(socket, 1) == ["d"]


async def test_a_position_counts_however_the_topic_is_named(alerts: Topic) -> None:
    await told(alerts, *"abc")
    async with connect(PATH) as socket:
        await subscribe(socket, "Alerts", since={"ALERTS": {"seq": 1, "epoch": alerts.epoch}})
        assert await messages(socket, 2) == ["b", "c"]


async def test_from_0_everything_is_told_in_any_epoch(alerts: Topic) -> None:
    await told(alerts, *"abc")
    async with connect(PATH) as socket:
        subscribed = await subscribe(socket, "alerts", since={"alerts": {"seq": 0}})
        assert subscribed["streams"]["alerts"]["recovered"]
        assert await messages(socket, 3) == ["a", "b", "c"]


@pytest.mark.parametrize("cursor", [{"seq": 1}, {"seq": 1, "epoch": "another"}, {"seq": 99, "epoch": "{epoch}"}])
async def test_a_position_that_means_nothing_is_not_recovered(cursor: dict[str, Any], alerts: Topic) -> None:
    await told(alerts, *"abc")
    if "epoch" in cursor:
        cursor = {**cursor, "epoch": cursor["epoch"].format(epoch=alerts.epoch)}
    async with connect(PATH) as socket:
        subscribed = await subscribe(socket, "alerts", since={"alerts": cursor})
        assert not subscribed["streams"]["alerts"]["recovered"]
        assert await messages(socket, 3) == ["a", "b", "c"]


async def test_what_is_too_long_ago_is_told_to_be_missing(alerts: Topic) -> None:
    await told(alerts, *[str(number) for number in range(1, PAGE + 11)])
    async with connect(PATH) as socket:
        subscribed = await subscribe(socket, "alerts", since=since(alerts, 5))
        assert not subscribed["streams"]["alerts"]["recovered"]
        assert await messages(socket, PAGE) == [str(number) for number in range(11, PAGE + 11)]


async def test_what_comes_while_one_resumes_comes_once_and_in_order(alerts: Topic) -> None:
    await told(alerts, *[str(number) for number in range(100)])

    async def go_on() -> None:
        for number in range(100, 150):
            await told(alerts, str(number))

    async with connect(PATH) as socket:
        going_on = asyncio.create_task(go_on())
        await subscribe(socket, "alerts", since={"alerts": {"seq": 0}})
        assert await messages(socket, 150) == [str(number) for number in range(150)]
        await going_on


async def test_a_reset_history_is_told_on_the_open_socket(alerts: Topic) -> None:
    await told(alerts, "a")
    async with connect(PATH) as socket:
        await subscribe(socket, "alerts")
        await db.run(Topic.renew_epoch, alerts.pk, alerts.epoch)
        await current_hub().check_positions()
        again = await socket.next("subscribed")
        assert again["topics"] == ["alerts"]
        assert again["streams"]["alerts"]["epoch"] != alerts.epoch
        assert not again["streams"]["alerts"]["recovered"]
        await told(alerts, "b")
        assert await messages(socket, 2) == ["a", "b"]


async def test_a_topic_that_is_deleted_is_told_and_the_others_go_on(alerts: Topic, backups: Topic) -> None:
    async with connect(PATH) as socket:
        await subscribe(socket, "alerts", "backups")
        await db.run(lambda: Topic.objects.filter(pk=alerts.pk).delete())
        await current_hub().check_positions()
        assert await socket.event() == {"type": "unsubscribed", "topics": ["alerts"]}
        await told(backups, "still here")
        assert await messages(socket, 1) == ["still here"]


# Publishing.


async def test_a_notification_goes_to_all_who_subscribed(alerts: Topic, alice: User) -> None:
    async with connect(PATH) as one, connect(PATH) as two, connect(PATH, user=alice) as publisher:
        await subscribe(one, "alerts")
        await subscribe(two, "alerts")
        said = {"title": "db1", "priority": 5, "tags": ["disk"], "id": "7"}
        assert await publish(publisher, "alerts", "Disk full", **said) == {
            "type": "published",
            "topic": "alerts",
            "recipients": 2,
            "seq": 1,
            "id": "7",
        }
        event = await one.event()
        assert event == await two.event()
        expected = {"type": "notification", "topic": "alerts", "seq": 1, "message": "Disk full", "sender": "alice"}
        assert without_time(event) == expected | said


async def test_nobody_listening_is_no_error(alerts: Topic, alice: User) -> None:
    async with connect(PATH, user=alice) as socket:
        assert (await publish(socket, "alerts", "Hello?"))["recipients"] == 0
        assert (await db.run(Notification.objects.get)).message == "Hello?"


async def test_recipients_are_sockets_and_not_people(alerts: Topic, alice: User) -> None:
    async with connect(PATH, user=alice) as one, connect(PATH, user=alice) as two:
        await subscribe(one, "alerts")
        await subscribe(two, "alerts")
        assert (await publish(one, "alerts", "Hi"))["recipients"] == 2


async def test_a_repeat_is_answered_and_told_to_nobody(alerts: Topic, alice: User) -> None:
    async with connect(PATH, user=alice) as socket, connect(PATH) as reader:
        await subscribe(reader, "alerts")
        first = await publish(socket, "alerts", "Hi", id="7")
        assert await publish(socket, "alerts", "Hi", id="7") == {**first, "duplicate": True}
        await publish(socket, "alerts", "end")
        assert await messages(reader, 2) == ["Hi", "end"]


async def test_a_used_id_with_something_else_is_a_conflict(alerts: Topic, alice: User) -> None:
    async with connect(PATH, user=alice) as socket:
        await publish(socket, "alerts", "Hi", id="7")
        await socket.command("publish", topic="alerts", message="Hi", priority=5, id="7")
        error = await socket.error()
        assert (error["code"], error["id"]) == ("id_conflict", "7")


async def test_the_order_of_publishing_is_the_order_of_arrival_whatever_the_priority(
    alerts: Topic, alice: User
) -> None:
    async with connect(PATH, user=alice) as socket, connect(PATH) as reader:
        await subscribe(reader, "alerts")
        for number in range(20):
            await socket.command("publish", topic="alerts", message=str(number), priority=number % 5 + 1)
        assert await messages(reader, 20) == [str(number) for number in range(20)]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("hello", "bad_json"),
        ("{not json", "bad_json"),
        ('{"action":"shout"}', "unsupported_action"),
        ('{"action":"publish","topic":"alerts"}', "invalid"),
        ('{"action":"publish","topic":"alerts","message":""}', "invalid"),
        ('{"action":"publish","topic":"alerts","message":"Hi","priority":9}', "invalid"),
        (json.dumps({"action": "publish", "topic": "alerts", "message": "x" * 10_001}), "too_long"),
        ('{"action":"publish","topic":"nothing","message":"Hi"}', "not_found"),
        ('{"action":"publish","topic":"a b","message":"Hi"}', "invalid"),
        ('{"action":"subscribe","topics":[]}', "invalid"),
        ('{"action":"subscribe","topics":"alerts"}', "invalid"),
        ('{"action":"ack","topic":"alerts","seq":-1}', "invalid"),
        ('{"action":"ack","topic":"alerts","seq":1}', "invalid"),
    ],
)
async def test_what_means_nothing_is_told_and_the_socket_goes_on(
    frame: str, code: str, alerts: Topic, alice: User
) -> None:
    async with connect(PATH, user=alice) as socket:
        await socket.send(frame)
        assert (await socket.error())["code"] == code
        assert (await publish(socket, "alerts", "still here"))["seq"] == 1


async def test_guests_read_and_do_not_publish(alerts: Topic) -> None:
    async with connect(PATH) as socket:
        await subscribe(socket, "alerts")
        await socket.command("publish", topic="alerts", message="Hi", id="7")
        error = await socket.error()
        assert (error["code"], error["id"]) == ("forbidden", "7")


@pytest.mark.parametrize(
    ("scopes", "subscribes", "publishes"),
    [
        (["*"], True, True),
        (["notifications:subscribe"], True, False),
        (["notifications:publish:alerts"], False, True),
        (["notifications:publish:backups.*"], False, False),
        (["chat:write"], False, False),
    ],
)
async def test_a_token_may_what_its_scopes_say(
    scopes: list[str], subscribes: bool, publishes: bool, alerts: Topic, alice: User
) -> None:
    _, secret = await db.run(Token.issue, alice, "narrow", scopes)
    async with connect(PATH, secret=secret) as socket:
        await socket.command("publish", topic="alerts", message="Hi")
        assert (await socket.event())["type"] == ("published" if publishes else "error")
        await socket.command("subscribe", topics=["alerts"])
        assert (await socket.event())["type"] == ("subscribed" if subscribes else "error")


async def test_a_deleted_notification_is_told_and_leaves_a_tombstone(alerts: Topic) -> None:
    await told(alerts, "secret", "b")
    async with connect(PATH) as socket:
        await subscribe(socket, "alerts")
        await db.run(alerts.retract, OPS, 1)
        event = without_time(await socket.event())
        assert event == {"type": "retracted", "topic": "alerts", "seq": 3, "target": 1, "by": "ops"}
        async with connect(PATH) as later:
            await subscribe(later, "alerts", since={"alerts": {"seq": 0}})
            events = [await later.event() for _ in range(3)]
    assert [(event["type"], event["seq"], event.get("deleted")) for event in events] == [
        ("notification", 1, True),
        ("notification", 2, None),
        ("retracted", 3, None),
    ]
    assert "secret" not in str(events)


# People.


async def test_who_may_notify_people_reaches_all_their_sockets(alice: User, herald: User) -> None:
    async with connect(PATH, user=alice) as one, connect(PATH, user=alice) as two, connect(PATH, user=herald) as sender:
        await subscribe(one, "me")
        await subscribe(two, "me")
        published = await publish(sender, "@alice", "Your report is ready")
        assert (published["topic"], published["recipients"]) == ("@alice", 2)
        for socket in (one, two):
            event = await socket.event()
            assert (event["topic"], event["sender"], event["message"]) == ("me", "bob", "Your report is ready")


async def test_what_is_said_to_one_reaches_nobody_else(alice: User, herald: User) -> None:
    async with connect(PATH, user=alice) as one, connect(PATH, user=herald) as other:
        await subscribe(one, "me")
        await subscribe(other, "me")
        await publish(other, "@alice", "for alice")
        await other.command("publish", topic="me", message="for myself")
        assert await messages(one, 1) == ["for alice"]
        assert (await other.event())["message"] == "for myself"


@pytest.mark.parametrize("name", ["@alice", "@nobody"])
async def test_without_permission_nobody_learns_who_there_is(name: str, alice: User, bob: User) -> None:
    async with connect(PATH, user=bob) as socket:
        for command in ({"action": "publish", "message": "Hi"}, {"action": "ack", "seq": 0}):
            await socket.command(**command, topic=name)
            error = await socket.error()
            assert (error["code"], error["message"]) == ("forbidden", "You may not notify single people.")


async def test_not_even_a_superuser_reads_what_is_somebody_else_s_own(alice: User, root: User) -> None:
    async with connect(PATH, user=root) as socket:
        await socket.command("subscribe", topics=["@alice"])
        assert (await socket.error())["code"] == "forbidden"
        await publish(socket, "@alice", "but may write")


async def test_a_login_as_somebody_else_ends_what_is_not_theirs(alice: User, root: User, alerts: Topic) -> None:
    _, secret = await db.run(Token.issue, root, "laptop")
    mine = await db.run(Topic.objects.open, "me", Identity.of_user(alice))
    async with connect(PATH, user=alice) as socket:
        await subscribe(socket, "me", "alerts")
        await socket.send(json.dumps({"token": secret}))
        assert (await socket.event())["type"] == "auth"
        assert (await socket.error())["message"] == "me: This topic is somebody else's own."
        assert await socket.event() == {"type": "unsubscribed", "topics": ["me"]}
        await told(mine, "for alice")
        await told(alerts, "for all")
        assert (await socket.event())["message"] == "for all"


async def test_a_login_opens_what_guests_may_not_do(alerts: Topic, secret: str) -> None:
    async with connect(PATH) as socket:
        await socket.send(json.dumps({"token": secret}))
        assert (await socket.event())["type"] == "auth"
        assert (await subscribe(socket, "me", "alerts"))["topics"] == ["me", "alerts"]
        assert (await publish(socket, "alerts", "Hi"))["recipients"] == 1


# Acknowledging.


async def test_an_ack_is_stored_and_told_to_all_the_user_s_sockets(alerts: Topic, alice: User, bob: User) -> None:
    await told(alerts, *"abc")
    async with connect(PATH, user=alice) as one, connect(PATH, user=alice) as two, connect(PATH, user=bob) as other:
        for socket in (two, other):
            await subscribe(socket, "alerts")
        await one.command("ack", topic="Alerts", seq=2, id="7")
        assert await one.event() == {"type": "acked", "topic": "alerts", "seq": 2, "id": "7"}
        assert await two.event() == {"type": "acked", "topic": "alerts", "seq": 2}
        await told(alerts, "d")
        assert (await other.event())["message"] == "d"
        cursor = await db.run(Cursor.objects.get)
        assert (cursor.user_id, cursor.seq, cursor.epoch) == (alice.pk, 2, alerts.epoch)


async def test_an_ack_of_something_older_answers_how_far_one_is(alerts: Topic, alice: User) -> None:
    await told(alerts, *"abc")
    async with connect(PATH, user=alice) as socket:
        for seq, reached in ((3, 3), (1, 3)):
            await socket.command("ack", topic="alerts", seq=seq)
            assert (await socket.event())["seq"] == reached


async def test_guests_acknowledge_nothing(alerts: Topic) -> None:
    async with connect(PATH) as socket:
        await socket.command("ack", topic="alerts", seq=0, id="7")
        error = await socket.error()
        assert (error["code"], error["id"]) == ("forbidden", "7")
        await socket.command("subscribe", topics=["alerts"], since="acked")
        assert (await socket.error())["code"] == "forbidden"


async def test_who_resumes_after_what_was_acknowledged_gets_the_rest(
    alerts: Topic, backups: Topic, alice: User
) -> None:
    await told(alerts, *"abc")
    await told(backups, *"xy")
    await db.run(Cursor.acknowledge, alice, alerts, 2)
    async with connect(PATH, user=alice) as socket:
        streams = (await subscribe(socket, "alerts", "backups", since="acked"))["streams"]
        assert [stream["recovered"] for stream in streams.values()] == [True, True]
        assert await messages(socket, 3) == ["c", "x", "y"]


async def test_what_was_acknowledged_before_a_reset_is_not_recovered(alerts: Topic, alice: User) -> None:
    await told(alerts, *"abc")
    await db.run(Cursor.acknowledge, alice, alerts, 2)
    await db.run(Topic.renew_epoch, alerts.pk, alerts.epoch)
    async with connect(PATH, user=alice) as socket:
        subscribed = await subscribe(socket, "alerts", since="acked")
        assert not subscribed["streams"]["alerts"]["recovered"]
        assert await messages(socket, 3) == ["a", "b", "c"]


# The system's own topic.


async def test_the_heartbeat_is_told_and_not_stored(settings: Settings) -> None:
    settings.CHORUS_HEARTBEAT_INTERVAL = 0.05
    async with connect(PATH) as socket:
        await subscribe(socket, "system")
        beats = [await socket.event() for _ in range(2)]
    for event in beats:
        assert without_time(event) == {
            "type": "notification",
            "topic": "system",
            "message": "Heartbeat check - all systems normal",
            "priority": 1,
            "sender": "system",
        }
    assert not await db.run(Notification.objects.exists)


async def test_a_heartbeat_comes_once_however_many_subscribe(settings: Settings) -> None:
    settings.CHORUS_HEARTBEAT_INTERVAL = 0.2
    async with connect(PATH) as one, connect(PATH) as two:
        await subscribe(one, "system")
        await subscribe(two, "system")
        first, second = await one.event(), await one.event()
        assert first["timestamp"] < second["timestamp"]
        gap = datetime.fromisoformat(second["timestamp"]) - datetime.fromisoformat(first["timestamp"])
        assert gap >= timedelta(seconds=0.15)


async def test_only_staff_publish_to_system(alice: User, bob: User) -> None:
    await db.run(lambda: bob.user_permissions.add(Permission.objects.get(codename="add_notification")))
    staff = await db.run(lambda: User.objects.get(pk=bob.pk))
    async with connect(PATH, user=alice) as member, connect(PATH, user=staff) as socket:
        await subscribe(member, "system")
        await member.command("publish", topic="system", message="Hi")
        assert (await member.error())["code"] == "forbidden"
        await publish(socket, "system", "Maintenance at noon")
        assert (await member.event())["message"] == "Maintenance at noon"


@pytest.mark.parametrize("field", ["message", "title"])
async def test_what_holds_a_token_is_not_published(alerts: Topic, alice: User, secret: str, field: str) -> None:
    async with connect(PATH, user=alice) as socket:
        await socket.command("publish", **{"topic": "alerts", "message": "hi", field: f"it is {secret}"})
        assert (await socket.error())["fields"] == {field: NOT_SAYABLE}
    with pytest.raises(Refused, match=NOT_SAYABLE):
        await told(alerts, secret)


@pytest.mark.parametrize("action", ["subscribe", "unsubscribe"])
async def test_nor_is_a_topic_called_like_one(secret: str, alice: User, action: str) -> None:
    async with connect(PATH, user=alice) as socket:
        await socket.command(action, topics=[secret])
        assert (await socket.error())["fields"] == {"topics.0": NOT_SAYABLE}


WRONG: dict[str, dict[str, Any]] = {
    "topics that are none": {"topics": [""] * 250_000},
    "positions that are none": {"topics": ["alerts"], "since": {str(index): {} for index in range(60_000)}},
    "positions of endless names": {
        "topics": ["alerts"],
        "since": {"\u00e9" * 400 + str(each): 0 for each in range(900)},
    },
    "an action that is none": {"action": "x" * 1_000_000},
}


@pytest.mark.parametrize("name", WRONG)
async def test_however_much_is_wrong_the_answer_is_short_and_comes_at_once(alerts: Topic, name: str) -> None:
    said = json.dumps({"action": "subscribe", "id": "7", **WRONG[name]}, ensure_ascii=False)
    async with connect(PATH) as socket:
        await socket.send(said)
        started = time.perf_counter()
        error = await socket.error()
        assert time.perf_counter() - started < 1
        assert error["id"] == "7"
        assert len(json.dumps(error)) < 4096


# Names of people.


async def test_a_person_s_topic_is_one_however_the_name_is_typed(alice: User) -> None:
    user = await db.run(User.objects.create_user, "jos\u00e9")
    await db.run(alice.user_permissions.add, await db.run(Permission.objects.get, codename="publish_to_people"))
    async with connect(PATH, user=user) as socket, connect(PATH, user=alice) as sender:
        assert (await subscribe(socket, "@jose\u0301", "@jos\u00e9", "me"))["topics"] == ["me"]
        for typed in ("@jose\u0301", "@jos\u00e9"):
            published = await publish(sender, typed, "Hi")
            assert (published["topic"], published["recipients"]) == ("@jos\u00e9", 1)


async def test_who_is_renamed_publishes_under_the_new_name_and_the_same_id(alerts: Topic, alice: User) -> None:
    async with connect(PATH, user=alice) as socket:
        you = await subscribe(socket, "alerts")
        await publish(socket, "alerts", "as alice")
        alice.username = "alicia"
        await db.run(alice.save)
        await until(lambda: [each.identity.name for each in current_hub().sockets] == ["alicia"])
        await publish(socket, "alerts", "as alicia")
        again = await subscribe(socket, "@alicia", since={"alerts": {"seq": 0}})
    said = await db.run(list, alerts.notifications.order_by("seq").values_list("sender_name", "sender_id"))
    assert said == [("alice", you["you_id"]), ("alicia", you["you_id"])]
    assert (again["topics"], again["you"]) == (["me"], "alicia")
