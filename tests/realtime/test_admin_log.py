"""Django's admin log, and what was deleted for good. Messages and notifications stand for all entries."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from chat.models import Message, Room
from notifications.models import Notification, Topic
from realtime import admin_log
from realtime.access import Identity
from realtime.admin_log import forget_texts

pytestmark = pytest.mark.django_db
ALICE = Identity("user:1", "alice")
SAID = "my card is 4111 1111"


@pytest.fixture(params=["chat_message", "notifications_notification"])
def entry(request: pytest.FixtureRequest) -> Any:
    """Something said; with the name of its admin pages."""
    room: Room = Room.objects.create(name="lobby")
    topic: Topic = Topic.objects.create(name="lobby")
    said: Any = room.post(ALICE, SAID) if request.param == "chat_message" else topic.publish(ALICE, SAID, title=SAID)
    said.pages = request.param
    return said


@pytest.mark.parametrize("one_by_one", [True, False])
def test_what_was_deleted_in_admin_is_not_in_its_log(entry: Any, staff: Client, one_by_one: bool) -> None:
    if one_by_one:
        staff.post(reverse(f"admin:{entry.pages}_delete", args=[entry.pk]), {"post": "yes"})
    else:
        sent = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
        staff.post(reverse(f"admin:{entry.pages}_changelist"), sent)
    assert LogEntry.objects.get(action_flag=DELETION).object_repr == f"{entry._meta.verbose_name} 1 in lobby"
    assert SAID not in staff.get(reverse("admin:index")).text
    assert SAID not in str(list(LogEntry.objects.values()))


def test_what_is_published_in_admin_is_named_there_and_not_quoted(staff: Client) -> None:
    topic = Topic.objects.create(name="alerts")
    sent = {"stream": topic.pk, "title": SAID, "message": SAID, "priority": "3", "tags": ""}
    staff.post(reverse("admin:notifications_notification_add"), sent)
    assert Notification.objects.count() == 1
    assert LogEntry.objects.get().object_repr == "notification 1 in alerts"


def test_old_rows_of_the_log_are_rewritten_and_no_others(
    entry: Any, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_log, "BATCH", 2)
    kind = ContentType.objects.get_for_model(entry)
    about = {"user_id": root.pk, "content_type_id": kind.pk, "action_flag": CHANGE, "object_repr": SAID}
    for object_id in (str(entry.pk), "99999", None, "x", str(entry.pk)):
        LogEntry(object_id=object_id, **about).save()
    other = ContentType.objects.get_for_model(Room)
    LogEntry(object_id="1", **{**about, "content_type_id": other.pk}).save()
    forget_texts(apps, "default", kind.app_label, kind.model)
    noun = entry._meta.verbose_name
    told = list(LogEntry.objects.order_by("pk").values_list("object_repr", flat=True))
    assert told == [f"{noun} 1 in lobby", *[f"{noun} that is gone"] * 3, f"{noun} 1 in lobby", SAID]


def test_where_there_is_no_admin_there_is_nothing_to_rewrite() -> None:
    class Bare:
        def get_model(self, *_: str) -> Any:
            raise LookupError

    forget_texts(Bare(), "default", "chat", "message")
    assert not Message.objects.exists()
