"""`manage.py notify`."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from notifications.models import Notification, Topic

pytestmark = pytest.mark.django_db(transaction=True)


def notify(*arguments: str) -> str:
    printed = StringIO()
    call_command("notify", *arguments, stdout=printed)
    return printed.getvalue().strip()


def test_it_prints_where_it_published(backups: Topic) -> None:
    assert [notify("backups", "one"), notify("backups", "two")] == ["backups 1", "backups 2"]


def test_it_says_all_that_a_notification_has(backups: Topic) -> None:
    notify("backups", "Disk full", "--priority", "5", "--title", "db1", "--tag", "disk", "--tag", "db")
    told = Notification.objects.get()
    assert (told.message, told.priority, told.title, told.tags) == ("Disk full", 5, "db1", ["disk", "db"])


def test_it_reaches_a_person(alice: User) -> None:
    assert notify("@alice", "Hi") == "@alice 1"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nowhere", "x"], "Make it in admin first"),
        (["@nobody", "x"], "no user @nobody"),
        (["me", "x"], "For example: @alice"),
        (["a b", "x"], "Use 1 to 64"),
        (["backups", ""], "message: expected some text"),
        (["backups", "x", "--tag", ""], "tags: expected"),
    ],
)
def test_what_cannot_be_is_explained(backups: Topic, arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        notify(*arguments)


def test_a_person_is_reached_however_their_name_is_typed() -> None:
    user = User.objects.create_user("jos\u00e9")
    notify("@jose\u0301", "Hi")
    assert Notification.objects.get().stream.owner == user
