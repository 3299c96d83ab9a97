"""The page of notifications."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notifications.models import Cursor, Topic
from realtime.access import AccessLevel, Identity


def topics(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/notifications/").context["topics"]
    return found


def test_a_guest_sees_what_guests_may_read(client: Client, alerts: Topic) -> None:
    Topic.objects.create(name="hidden", guest_access=AccessLevel.NONE)
    Topic.objects.create(name="system", guest_access=AccessLevel.READ)
    assert [(topic["name"], topic["writable"]) for topic in topics(client)] == [("alerts", False)]


def test_a_user_has_a_topic_of_their_own(client: Client, alerts: Topic, alice: User, bob: User) -> None:
    for user in (alice, bob):
        Topic.objects.open("me", Identity.of_user(user))
    client.force_login(alice)
    assert [(topic["name"], topic["writable"]) for topic in topics(client)] == [("me", True), ("alerts", True)]


def test_the_own_topic_is_offered_before_it_exists(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert [topic["name"] for topic in topics(client)] == ["me"]
    assert not Topic.objects.exists()


def test_the_page_knows_how_far_one_has_seen(client: Client, alerts: Topic, alice: User) -> None:
    published = alerts.publish(Identity.of_user(alice), "Disk full")
    Cursor.acknowledge(alice, alerts, published.seq)
    client.force_login(alice)
    assert topics(client)[1]["acked"] == published.seq


def test_what_was_seen_in_another_epoch_means_nothing(client: Client, alerts: Topic, alice: User) -> None:
    published = alerts.publish(Identity.of_user(alice), "Disk full")
    Cursor.acknowledge(alice, alerts, published.seq)
    Topic.renew_epoch(alerts.pk, alerts.epoch)
    client.force_login(alice)
    assert topics(client)[1]["acked"] == 0


def test_a_topic_is_opened_by_its_address(client: Client, alerts: Topic) -> None:
    assert client.get(alerts.get_absolute_url()).context["chosen"] == "alerts"


def test_who_may_make_a_topic_is_led_to_it(client: Client, root: User) -> None:
    client.force_login(root)
    answer = client.get("/notifications/", {"topic": "new"})
    assert answer.status_code == 404
    assert "/admin/notifications/topic/add/?name=new" in answer.text
    assert not Topic.objects.exists()


@pytest.mark.parametrize("name", ["none", "no/name", "@alice", "@1"])
def test_a_topic_that_is_not_there_is_not_found(client: Client, alerts: Topic, name: str) -> None:
    assert client.get("/notifications/", {"topic": name}).status_code == 404


def test_a_topic_one_may_not_read_is_not_found(client: Client, alerts: Topic, alice: User) -> None:
    Topic.objects.update(guest_access=AccessLevel.NONE)
    assert client.get("/notifications/?topic=alerts").status_code == 404
    client.force_login(alice)
    assert client.get("/notifications/?topic=alerts").status_code == 200


def test_a_guest_logs_in_to_a_topic_of_their_own(client: Client, alice: User) -> None:
    answer = client.get("/notifications/?topic=me")
    assert answer.headers["location"] == "/accounts/login/?next=/notifications/%3Ftopic%3Dme"
    client.force_login(alice)
    assert client.get("/notifications/?topic=me").status_code == 200


def test_who_may_publish_nowhere_is_told_why(client: Client, alerts: Topic, alice: User) -> None:
    answer = client.get("/notifications/")
    assert "Guests may read here." in answer.text
    assert "data-publish>" not in answer.text
    client.force_login(alice)
    assert client.get("/notifications/").context["may_publish"]


def test_only_who_may_notify_people_is_told_how(client: Client, alice: User, root: User) -> None:
    client.force_login(alice)
    assert "@alice" not in client.get("/notifications/").text
    client.force_login(root)
    assert "@alice" in client.get("/notifications/").text
