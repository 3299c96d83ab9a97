"""What can be done to topics and notifications, whoever does it and from wherever."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from pytest_django import Settings

from accounts.secret import new_secret
from notifications.models import Cursor, Notification, Topic, known_as
from realtime import access
from realtime.access import Identity
from realtime.people import ids_of
from realtime.protocol import Refused
from realtime.secrecy import NOT_SAYABLE
from tests.anonymous import anonymous

pytestmark = pytest.mark.django_db
OPS = Identity("user:1", "ops")
GUEST = Identity.of_guest("some-guest")


def told(notification: Notification) -> dict[str, Any]:
    """What its readers get, without the time and the ids of people."""
    event: dict[str, Any] = anonymous(json.loads(notification.stored().text))
    assert event.pop("timestamp").endswith("Z")
    return event


def refusal(*args: Any, by: Any = Topic.objects.open) -> str:
    """Why this is not done."""
    with pytest.raises(Refused) as caught:
        by(*args)
    return caught.value.code


# Publishing.


def test_a_notification_says_what_and_by_whom(alerts: Topic) -> None:
    published = alerts.publish(OPS, "Disk full", title="db1", priority=5, tags=["disk"], client_id="7")
    assert told(published) == {
        "type": "notification",
        "topic": "alerts",
        "seq": 1,
        "message": "Disk full",
        "title": "db1",
        "priority": 5,
        "tags": ["disk"],
        "sender": "ops",
        "id": "7",
    }


def test_what_is_not_given_is_left_out_and_priority_is_normal(alerts: Topic) -> None:
    event = told(alerts.publish(OPS, "Hi"))
    assert event.keys() == {"type", "topic", "seq", "message", "priority", "sender"}
    assert event["priority"] == 3


@pytest.mark.parametrize(
    "options", [{"title": "x" * 200}, {"priority": 1}, {"priority": 5}, {"tags": ["x" * 32] * 10}, {"tags": ("é",)}]
)
def test_what_may_be_said(options: dict[str, Any], alerts: Topic) -> None:
    assert alerts.publish(OPS, "🎉" * 10_000, **options).seq == 1


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("title", {"title": "x" * 201}),
        ("priority", {"priority": 0}),
        ("priority", {"priority": 6}),
        ("tags", {"tags": ["x"] * 11}),
        ("tags", {"tags": ["x" * 33]}),
        ("tags", {"tags": [""]}),
        ("message", {"message": ""}),
    ],
)
def test_what_may_not_be_said_is_told_by_field(field: str, options: dict[str, Any], alerts: Topic) -> None:
    with pytest.raises(Refused) as caught:
        alerts.publish(OPS, **{"message": "Hi", **options})
    assert (caught.value.code, list(caught.value.fields or ())) == ("invalid", [field])


@pytest.mark.parametrize("options", [{"message": "a\x00b"}, {"title": "\x1b[31m"}, {"tags": ["a\x00"]}])
def test_control_characters_are_refused_everywhere(options: dict[str, Any], alerts: Topic) -> None:
    with pytest.raises(Refused) as caught:
        alerts.publish(OPS, **{"message": "Hi", **options})
    assert caught.value.code == "invalid"


def test_too_long_is_too_long_unless_there_is_no_limit(alerts: Topic, settings: Settings) -> None:
    assert refusal(OPS, "x" * 10_001, by=alerts.publish) == "too_long"
    settings.CHORUS_MAX_TEXT = 0
    assert alerts.publish(OPS, "x" * 10_001).seq == 1


def test_a_repeat_gives_the_first(alerts: Topic) -> None:
    first = alerts.publish(OPS, "Hi", client_id="7")
    again = alerts.publish(OPS, "Hi", client_id="7")
    assert (again.seq, again.duplicate, first.duplicate) == (1, True, False)


@pytest.mark.parametrize("other", [{"title": "t"}, {"priority": 4}, {"tags": ["t"]}, {"message": "Ho"}])
def test_a_used_id_with_anything_else_is_a_conflict(other: dict[str, Any], alerts: Topic) -> None:
    alerts.publish(OPS, "Hi", client_id="7")
    with pytest.raises(Refused) as caught:
        alerts.publish(OPS, **{"message": "Hi", **other}, client_id="7")
    assert caught.value.code == "id_conflict"


# Taking back.


def test_a_deletion_takes_the_text_away_and_is_an_entry_of_its_own(alerts: Topic) -> None:
    alerts.publish(OPS, "secret", title="secret", tags=["secret"])
    deletion = alerts.retract(OPS, 1)
    assert told(deletion) == {"type": "retracted", "topic": "alerts", "seq": 2, "target": 1, "by": "ops"}
    assert deletion.stored().rewrites
    rest = Notification.objects.get(seq=1)
    assert "secret" not in str(vars(rest))
    assert told(rest) == {"type": "notification", "topic": "alerts", "seq": 1, "deleted": True, "sender": "ops"}


@pytest.mark.parametrize("target", [0, 2, 3, 99])
def test_what_is_not_there_any_more_or_never_was_cannot_be_deleted(target: int, alerts: Topic) -> None:
    alerts.publish(OPS, "one")
    alerts.publish(OPS, "two")
    alerts.retract(OPS, 2)
    assert refusal(OPS, target, by=alerts.retract) == "not_found"
    assert Topic.objects.get().last_seq == 3


# Names.


def test_me_is_each_user_s_own(alice: User, bob: User) -> None:
    mine, theirs = (Topic.objects.open("me", Identity.of_user(user)) for user in (alice, bob))
    assert (mine.owner, theirs.owner) == (alice, bob)
    assert Topic.objects.open("ME", Identity.of_user(alice)) == mine
    assert Topic.objects.open("@alice", Identity.of_user(alice)) == mine


def test_a_guest_has_no_topic() -> None:
    assert refusal("me", GUEST) == "forbidden"
    assert not Topic.objects.exists()


def test_who_may_notify_people_addresses_them_by_name(herald: User, alice: User) -> None:
    by = Identity.of_user(herald)
    topic = Topic.objects.open("@alice", by)
    access.require(by, "write", topic)
    assert (topic.owner, topic.public_name) == (alice, "me")
    assert refusal(by, "read", topic, by=access.require) == "forbidden"
    assert refusal("@nobody", by) == "not_found"
    assert refusal("@Alice", by) == "not_found"


@pytest.mark.parametrize("name", ["@alice", "@nobody", "@", "@@", "@a\x00b"])
def test_who_may_not_notify_people_cannot_find_out_who_there_is(name: str, alice: User, bob: User) -> None:
    for visitor in (Identity.of_user(bob), GUEST):
        with pytest.raises(Refused) as caught:
            Topic.objects.open(name, visitor)
        assert (caught.value.code, caught.value.message) == ("forbidden", "You may not notify single people.")


def test_who_was_deactivated_is_nobody(herald: User, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert refusal("@alice", Identity.of_user(herald)) == "not_found"


def test_a_user_s_topic_goes_with_them_and_is_nobody_else_s(alice: User) -> None:
    Topic.objects.open("me", Identity.of_user(alice)).publish(OPS, "private")
    alice.delete()
    assert not Notification.objects.exists()


def test_nobody_can_make_a_topic_called_me(db: None) -> None:
    with pytest.raises(ValidationError):
        Topic(name="me").full_clean()
    Topic(name="mentions").full_clean()


@pytest.mark.parametrize("name", ["title", "description"])
def test_what_is_said_of_a_topic_holds_no_secret(name: str) -> None:
    with pytest.raises(ValidationError, match=NOT_SAYABLE):
        Topic(name="alerts", **{name: new_secret()}).full_clean()


@pytest.mark.parametrize("name", ["", " ", "a b", ".hidden", "ü", "x" * 65, "a/b", "alerts\n"])
def test_what_is_no_name_opens_nothing(name: str, development: None) -> None:
    assert refusal(name, GUEST) == "invalid"
    assert not Topic.objects.exists()


def test_in_production_nobody_finds_a_topic_that_is_not_there() -> None:
    assert refusal("new", GUEST) == "not_found"


@pytest.mark.parametrize(
    ("name", "known"), [("Alerts", "alerts"), ("ME", "me"), ("@alice", "me"), ("@Alice", "@Alice"), ("@bob", "@bob")]
)
def test_a_topic_is_known_by_one_name(name: str, known: str, alice: User) -> None:
    assert known_as(name, Identity.of_user(alice)) == known


# Who may what.


def test_to_system_only_staff_publish_who_may_add_notifications(alice: User, bob: User, root: User) -> None:
    User.objects.filter(pk__in=[alice.pk, bob.pk]).update(is_staff=True)
    bob.user_permissions.add(Permission.objects.get(codename="add_notification"))
    system = Topic.objects.open("system", GUEST)
    for user, may in ((User.objects.get(pk=alice.pk), False), (User.objects.get(pk=bob.pk), True), (root, True)):
        assert (system.denies(Identity.of_user(user), "write") is None) == may
    assert system.denies(GUEST, "write") is not None
    assert system.denies(GUEST, "read") is None


def test_lists_hold_no_one_s_own_topic(alerts: Topic, alice: User, root: User) -> None:
    Topic.objects.open("me", Identity.of_user(alice))
    for reader in (Identity.of_user(alice), Identity.of_user(root), GUEST):
        assert list(Topic.objects.readable_by(reader)) == [alerts]


def test_scopes_speak_of_subscribing_and_publishing(alerts: Topic, alice: User) -> None:
    assert alerts.scope("read") == "notifications:subscribe:alerts"
    assert alerts.scope("write") == "notifications:publish:alerts"
    assert Topic.objects.open("me", Identity.of_user(alice)).scope("read") == "notifications:subscribe:me"


# Acknowledging.


def test_what_was_acknowledged_never_falls(alerts: Topic, alice: User) -> None:
    for text in "abc":
        alerts.publish(OPS, text)
    assert [Cursor.acknowledge(alice, alerts, seq) for seq in (2, 1, 3, 0)] == [2, 2, 3, 3]


def test_what_is_not_there_yet_cannot_be_acknowledged(alerts: Topic, alice: User) -> None:
    alerts.publish(OPS, "one")
    with pytest.raises(Refused) as caught:
        Cursor.acknowledge(alice, alerts, 2)
    assert (caught.value.code, list(caught.value.fields or ())) == ("invalid", ["seq"])
    assert not Cursor.objects.exists()


def test_after_a_reset_acknowledging_begins_anew(alerts: Topic, alice: User) -> None:
    for text in "abc":
        alerts.publish(OPS, text)
    Cursor.acknowledge(alice, alerts, 3)
    Topic.renew_epoch(alerts.pk, alerts.epoch)
    assert Cursor.acknowledge(alice, alerts, 1) == 1
    assert Cursor.objects.get().epoch == Topic.objects.get().epoch


def test_a_notification_knows_who_has_seen_it(alerts: Topic, alice: User, bob: User) -> None:
    first, second = alerts.publish(OPS, "a"), alerts.publish(OPS, "b")
    Cursor.acknowledge(alice, alerts, 2)
    Cursor.acknowledge(bob, alerts, 1)
    assert {cursor.user for cursor in first.acknowledged_by()} == {alice, bob}
    assert {cursor.user for cursor in second.acknowledged_by()} == {alice}
    Topic.renew_epoch(alerts.pk, alerts.epoch)
    assert not first.acknowledged_by()


def test_each_user_and_topic_has_one_position(alerts: Topic, alice: User, bob: User) -> None:
    other = Topic.objects.create(name="other")
    for topic in (alerts, other):
        topic.publish(OPS, "a")
        for user in (alice, bob):
            Cursor.acknowledge(user, topic, 1)
    assert Cursor.objects.count() == 4


# As pages and admin see them.


def test_a_topic_is_called_by_its_title_or_its_name(alice: User) -> None:
    assert [str(Topic(name="alerts")), str(Topic(name="a", title="All alerts"))] == ["alerts", "All alerts"]
    assert str(Topic.objects.open("me", Identity.of_user(alice))) == "@alice"


# People by their ids.


def test_a_person_is_reached_by_their_id_whatever_they_are_called(alice: User, bob: User) -> None:
    alice.user_permissions.add(Permission.objects.get(codename="publish_to_people"))
    sender_id = ids_of([f"user:{bob.pk}"])[f"user:{bob.pk}"]
    User.objects.filter(pk=bob.pk).update(username="robert")
    User.objects.create_user("bob")
    assert Topic.objects.open(f"@id:{sender_id}", Identity.of_user(alice)).owner == bob


@pytest.mark.parametrize("gone", ["id:unknown", "id:", "guest", "deactivated"])
def test_an_id_of_nobody_who_can_be_reached_is_not_found(alice: User, bob: User, gone: str) -> None:
    alice.user_permissions.add(Permission.objects.get(codename="publish_to_people"))
    ids = ids_of([f"user:{bob.pk}", "guest:k"])
    User.objects.filter(pk=bob.pk).update(is_active=False)
    name = {"guest": f"id:{ids['guest:k']}", "deactivated": f"id:{ids[f'user:{bob.pk}']}"}.get(gone, gone)
    assert refusal(f"@{name}", Identity.of_user(alice)) == "not_found"


def test_who_may_not_notify_people_learns_nothing_of_ids(alice: User, bob: User) -> None:
    known = ids_of([f"user:{bob.pk}"])[f"user:{bob.pk}"]
    told = {refusal(f"@id:{each}", Identity.of_user(alice)) for each in (known, "unknown")}
    assert told == {"forbidden"}
