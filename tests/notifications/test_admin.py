"""Topics and notifications in admin: saving one publishes it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from notifications.models import Cursor, Notification, Topic
from realtime import db
from realtime.access import Identity
from realtime.access_form import LEVELS
from realtime.admin import LISTS
from realtime.testing import connect

pytestmark = pytest.mark.django_db
ADD = "admin:notifications_notification_add"
LIST = "admin:notifications_notification_changelist"
OPS = Identity("user:99", "ops")


@pytest.fixture
def editor(helper: Callable[..., Client]) -> Client:
    """The browser of Alice, who may publish in admin and is no superuser."""
    return helper("add_notification", "view_notification", "delete_notification", "view_topic")


def form(topic: Topic, **fields: str) -> dict[str, str]:
    """The form as it is sent."""
    return {"stream": str(topic.pk), "message": "Disk full", "title": "", "priority": "3", "tags": "", **fields}


def page_of(notification: Notification, name: str = "change") -> str:
    return reverse(f"admin:notifications_notification_{name}", args=[notification.pk])


# Publishing.


def test_saving_publishes(staff: Client, alerts: Topic) -> None:
    answer = staff.post(reverse(ADD), form(alerts, title="db1", priority="5", tags="disk, db ,, night"))
    assert answer.headers["location"] == reverse(LIST)
    found = Notification.objects.get()
    assert (found.seq, found.message, found.title, found.priority) == (1, "Disk full", "db1", 5)
    assert (found.tags, found.sender_name) == (["disk", "db", "night"], "root")
    assert Topic.objects.get().last_seq == 1


def test_the_button_reads_publish_and_there_is_a_preview(staff: Client, alerts: Topic) -> None:
    page = staff.get(reverse(ADD)).text
    assert 'value="Publish"' in page
    assert "data-preview" in page
    assert "Save and" not in page


def test_the_form_asks_for_nothing_technical(staff: Client, alerts: Topic) -> None:
    fields = staff.get(reverse(ADD)).context["adminform"].form.fields
    assert list(fields) == ["stream", "title", "message", "priority", "tags"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"message": ""},
        {"message": "x" * 10_001},
        {"message": "a\x1bb"},
        {"title": "x" * 201},
        {"priority": "9"},
        {"tags": "x" * 33},
        {"tags": ",".join("abcdefghijk")},
        {"stream": "99"},
    ],
)
def test_what_cannot_be_published_is_told_in_the_form(wrong: dict[str, str], staff: Client, alerts: Topic) -> None:
    answer = staff.post(reverse(ADD), form(alerts, **wrong))
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert not Notification.objects.exists()


def test_staff_publish_only_where_they_may(editor: Client, alerts: Topic) -> None:
    Topic.objects.update(member_access="read")
    answer = editor.post(reverse(ADD), form(alerts))
    assert "Members may not write here." in answer.text
    Topic.objects.update(member_access="write")
    editor.post(reverse(ADD), form(alerts))
    assert Notification.objects.get().sender_name == "alice"


def test_people_s_own_topics_are_nowhere(staff: Client, alerts: Topic, alice: User) -> None:
    own = Topic.objects.open("me", Identity.of_user(alice))
    secret = own.publish(OPS, "private words")
    alerts.publish(OPS, "public words")
    for url in (reverse(ADD), reverse(LIST), reverse("admin:notifications_topic_changelist")):
        page = staff.get(url).text
        assert "@alice" not in page
        assert "private words" not in page
    assert staff.post(reverse(ADD), form(own)).status_code == 200
    assert staff.get(page_of(secret)).status_code == 302
    assert own.appended().count() == 1


@pytest.mark.django_db(transaction=True)
async def test_what_is_saved_reaches_open_sockets_and_they_were_counted(staff: Client, alerts: Topic) -> None:
    async with connect("/ws/notifications/") as socket:
        await socket.command("subscribe", topics=["alerts"])
        await socket.next("subscribed")
        listening = await db.run(staff.get, reverse("admin:notifications_listening", args=[alerts.pk]))
        assert listening.json() == {"listening": 1}
        await db.run(staff.post, reverse(ADD), form(alerts))
        event = await socket.event()
        assert (event["type"], event["message"], event["sender"]) == ("notification", "Disk full", "root")


def test_nobody_listens_to_what_is_not_there(staff: Client, alice: User) -> None:
    own = Topic.objects.open("me", Identity.of_user(alice))
    for pk in (0, 99, own.pk):
        assert staff.get(reverse("admin:notifications_listening", args=[pk])).json() == {"listening": 0}


# What was published.


def test_what_was_published_is_read_only_and_tells_who_saw_it(staff: Client, alerts: Topic, alice: User) -> None:
    found = alerts.publish(OPS, "Disk full", tags=["disk", "db"])
    assert "nobody yet" in staff.get(page_of(found)).text
    Cursor.acknowledge(alice, alerts, 1)
    page = staff.get(page_of(found)).text
    assert all(text in page for text in ("alice", "disk, db", "Disk full"))
    assert '<textarea name="message"' not in page
    assert staff.post(page_of(found), form(alerts, message="changed")).status_code == 403
    assert Notification.objects.get().message == "Disk full"


def test_the_list_tells_how_many_saw_each(staff: Client, alerts: Topic, alice: User) -> None:
    for text in ("one", "two"):
        alerts.publish(OPS, text)
    Cursor.acknowledge(alice, alerts, 1)
    rows = staff.get(reverse(LIST)).text
    assert rows.index("two") < rows.index("one")
    assert rows.count('class="field-seen">1<') == rows.count('class="field-seen">0<') == 1


# Deleting.


def told(topic: Topic) -> list[tuple[int, str, int | None]]:
    """The topic's entries: position, text, and what each deletes."""
    return list(Notification.objects.filter(stream=topic).order_by("seq").values_list("seq", "message", "target"))


def test_deleting_is_the_verb(staff: Client, alerts: Topic) -> None:
    found = alerts.publish(OPS, "secret")
    staff.post(page_of(found, "delete"), {"post": "yes"})
    assert told(alerts) == [(1, "", None), (2, "", 1)]


def test_deleting_many_is_the_verb_for_each(staff: Client, alerts: Topic) -> None:
    found = [alerts.publish(OPS, text) for text in "abc"]
    chosen: dict[str, Any] = {"_selected_action": [each.pk for each in found[:2]]}
    staff.post(reverse(LIST), {"action": "delete_selected", "post": "yes", **chosen})
    assert told(alerts) == [(1, "", None), (2, "", None), (3, "c", None), (4, "", 2), (5, "", 1)]


def test_what_is_deleted_already_can_be_among_the_chosen(staff: Client, alerts: Topic) -> None:
    found = [alerts.publish(OPS, text) for text in "ab"]
    alerts.retract(OPS, 1)
    chosen: dict[str, Any] = {"_selected_action": [each.pk for each in found]}
    staff.post(reverse(LIST), {"action": "delete_selected", "post": "yes", **chosen})
    assert told(alerts)[-1] == (4, "", 2)


def test_what_is_deleted_is_not_offered_for_deletion_again(staff: Client, alerts: Topic) -> None:
    found = alerts.publish(OPS, "a")
    assert page_of(found, "delete") in staff.get(page_of(found)).text
    alerts.retract(OPS, 1)
    assert page_of(found, "delete") not in staff.get(page_of(found)).text


def test_deletions_are_no_notifications_of_their_own(staff: Client, alerts: Topic) -> None:
    alerts.publish(OPS, "secret")
    deletion = alerts.retract(OPS, 1)
    page = staff.get(reverse(LIST)).text
    assert "(deleted)" in page
    assert page_of(deletion) not in page


def test_who_may_not_delete_does_not(editor: Client, alerts: Topic, alice: User) -> None:
    alice.user_permissions.remove(Permission.objects.get(codename="delete_notification"))
    found = alerts.publish(OPS, "stays")
    assert editor.post(page_of(found, "delete"), {"post": "yes"}).status_code == 403
    assert told(alerts) == [(1, "stays", None)]


# Topics.


def test_topics_tell_how_much_was_published_and_when(staff: Client, alerts: Topic) -> None:
    for text in "abc":
        alerts.publish(OPS, text)
    alerts.retract(OPS, 1)
    page = staff.get(reverse("admin:notifications_topic_changelist")).text
    assert 'class="field-published">2<' in page
    assert alerts.get_absolute_url() in page


def test_a_topic_s_form_has_no_technical_fields_and_keeps_the_name(staff: Client, alerts: Topic) -> None:
    url = reverse("admin:notifications_topic_change", args=[alerts.pk])
    fields = staff.get(url).context["adminform"].form.fields
    assert fields.keys() == {
        "title",
        "description",
        "private",
        *LEVELS,
        *LISTS,
        "keep_days",
        "keep_entries",
        "keep_bytes",
    }
    alerts.publish(OPS, "meanwhile")
    levels = {"guest_access": "none", "member_access": "read"}
    kept = {"keep_days": "30", "keep_entries": "10"}
    staff.post(url, {"name": "x", "title": "All", "description": "", **levels, **kept})
    row = Topic.objects.get()
    assert (row.name, row.title, row.guest_access, row.last_seq) == ("alerts", "All", "none", 1)


def test_a_topic_can_be_deleted_with_all_that_is_in_it(staff: Client, alerts: Topic, alice: User) -> None:
    for text in "ab":
        alerts.publish(OPS, text)
    alerts.retract(OPS, 1)
    Cursor.acknowledge(alice, alerts, 2)
    staff.post(reverse("admin:notifications_topic_delete", args=[alerts.pk]), {"post": "yes"})
    assert not Topic.objects.exists()
    assert not Notification.objects.exists()


def test_a_topic_called_me_is_refused(staff: Client) -> None:
    sent = {"name": "me", "title": "", "description": "", "guest_access": "read", "member_access": "write"}
    answer = staff.post(reverse("admin:notifications_topic_add"), sent)
    assert "name" in answer.context["adminform"].form.errors


# How long they are kept.


def reset_url(topic: Topic) -> str:
    return reverse("admin:notifications_topic_reset", args=[topic.pk])


def test_what_was_pruned_is_listed_and_counted_no_more(staff: Client, alerts: Topic) -> None:
    found = [alerts.publish(OPS, text, client_id=text) for text in ("pruned words", "kept words")]
    Topic.objects.update(first_seq=2)
    page = staff.get(reverse(LIST)).text
    assert "kept words" in page
    assert "pruned words" not in page
    assert staff.get(page_of(found[0])).status_code == 302
    assert 'class="field-published">1<' in staff.get(reverse("admin:notifications_topic_changelist")).text


def test_a_topic_s_history_is_reset_after_a_question(staff: Client, alerts: Topic) -> None:
    alerts.publish(OPS, "words")
    url = reverse("admin:notifications_topic_change", args=[alerts.pk])
    assert reset_url(alerts) in staff.get(url).text
    assert "cannot be undone" in staff.get(reset_url(alerts)).text
    assert Notification.objects.count() == 1
    assert staff.post(reset_url(alerts)).headers["location"] == url
    assert not Notification.objects.exists()
    assert Topic.objects.get().last_seq == 1


def test_nobody_resets_a_person_s_own_topic(staff: Client, alice: User) -> None:
    own = Topic.objects.open("me", Identity.of_user(alice))
    own.publish(OPS, "private words")
    assert staff.post(reset_url(own)).headers["location"] == reverse("admin:notifications_topic_changelist")
    assert Notification.objects.count() == 1


def test_how_many_listen_is_told_to_who_may_publish(helper: Callable[..., Client], alerts: Topic) -> None:
    url = reverse("admin:notifications_listening", args=[alerts.pk])
    assert helper("view_topic").get(url).status_code == 403
    assert helper("add_notification").get(url).json() == {"listening": 0}
