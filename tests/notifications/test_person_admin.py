"""A notification to one person, from admin."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from notifications.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client, root: User) -> Client:
    """Root's browser."""
    client.force_login(root)
    return client


@pytest.fixture
def editor(client: Client, alice: User) -> Client:
    """The browser of Alice, who is let into admin and may do nothing there yet."""
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    client.force_login(alice)
    return client


def person_url(user: User) -> str:
    return reverse("admin:notifications_person", args=[user.pk])


def test_one_person_is_notified_and_the_log_keeps_that_and_no_word_of_it(staff: Client, alice: User) -> None:
    staff.post(person_url(alice), {"title": "Key", "message": "at the desk", "priority": "4"})
    found = Notification.objects.get()
    assert (found.stream.owner, found.message, found.priority, found.sender_name) == (alice, "at the desk", 4, "root")
    entry = LogEntry.objects.get()
    assert (entry.get_edited_object(), entry.change_message) == (alice, "Sent a notification.")


def test_notifying_people_is_a_permission_of_its_own(editor: Client, alice: User, bob: User) -> None:
    sent = {"title": "", "message": "hi", "priority": "3"}
    assert editor.get(person_url(bob)).status_code == editor.post(person_url(bob), sent).status_code == 403
    alice.user_permissions.add(Permission.objects.get(codename="publish_to_people"))
    assert editor.get(person_url(bob)).status_code == 200
    assert not Notification.objects.exists()
    assert editor.post(person_url(bob), sent).status_code == 302
    assert Notification.objects.get().stream.owner == bob


@pytest.mark.parametrize("wrong", [{"message": ""}, {"message": "a\x1bb"}, {"priority": "9"}, {"title": "x" * 201}])
def test_what_cannot_be_told_a_person_is_said_in_the_form(wrong: dict[str, str], staff: Client, alice: User) -> None:
    answer = staff.post(person_url(alice), {"title": "", "message": "hi", "priority": "3", **wrong})
    assert answer.context["form"].errors
    assert not Notification.objects.exists()


def test_who_is_gone_is_not_notified(staff: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    sent = {"title": "", "message": "hi", "priority": "3"}
    for url in (person_url(alice), reverse("admin:notifications_person", args=["x"])):
        assert "There is no such user any more." in staff.post(url, sent, follow=True).text
    assert not Notification.objects.exists()
