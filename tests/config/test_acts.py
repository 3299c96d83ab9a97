"""What is done in admin is in the log, a line for each act, and nothing that somebody typed."""

import logging
from collections.abc import Iterator

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Token
from chat.models import Room
from config.logging import LineFormatter

pytestmark = pytest.mark.django_db(transaction=True)

SECRET_TITLE = "Our plans\n12:30:05 login user=root"


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What development's log says of admin, without the time."""
    said: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(self.format(record)[9:])

    handler = Kept()
    handler.setFormatter(LineFormatter())
    logger = logging.getLogger("chorus.admin")
    logger.addHandler(handler)
    yield said
    logger.removeHandler(handler)


def test_a_change_is_a_line_without_what_was_typed(staff: Client, lobby: Room, lines: list[str]) -> None:
    LogEntry.objects.log_actions(
        User.objects.get(username="root").pk, [lobby], CHANGE, f"Renamed to {SECRET_TITLE}", single_object=True
    )
    assert lines == [f"admin who=root action=change model=chat.room object={lobby.pk}"]


def test_deleting_many_is_a_line_for_each(staff: Client, lines: list[str]) -> None:
    rooms = [Room.objects.create(name=name, title=SECRET_TITLE) for name in ("one", "two", "three")]
    form = {"action": "delete_selected", "_selected_action": [room.pk for room in rooms], "post": "yes"}
    assert staff.post(reverse("admin:chat_room_changelist"), form).status_code == 302
    assert sorted(lines) == sorted(f"admin who=root action=delete model=chat.room object={room.pk}" for room in rooms)


def test_an_action_of_ours_is_a_line(staff: Client, token: Token, lines: list[str]) -> None:
    form = {"action": "revoke", "_selected_action": [token.pk]}
    assert staff.post(reverse("admin:accounts_token_changelist"), form).status_code == 302
    assert lines == [f"admin who=root action=change model=accounts.token object={token.pk}"]


def test_a_made_token_is_a_line_without_its_secret(staff: Client, alice: User, lines: list[str]) -> None:
    form = {"owner": alice.pk, "name": SECRET_TITLE[:9], "scopes": ["*"], "days": "30"}
    answer = staff.post(reverse("admin:accounts_token_add"), form)
    made = Token.objects.get()
    assert lines == [f"admin who=root action=add model=accounts.token object={made.pk}"]
    assert answer.context["secret"] not in lines[0]


def test_what_was_rolled_back_was_not_done(root: User, lobby: Room, lines: list[str]) -> None:
    with transaction.atomic():
        LogEntry.objects.log_actions(root.pk, [lobby], CHANGE)
        transaction.set_rollback(True)
    assert lines == []


def test_a_hostile_name_is_still_one_line(lobby: Room, lines: list[str]) -> None:
    eve = User.objects.create(username="eve\n12:30:05 login user=root \x1b[2J")
    LogEntry.objects.log_actions(eve.pk, [lobby], CHANGE)
    (line,) = lines
    assert line.isprintable()
    assert line.startswith("admin who='eve\\n12:30:05 login user=root \\x1b[2J' action=change ")


def test_an_entry_that_is_saved_again_is_no_act(root: User, lobby: Room, lines: list[str]) -> None:
    LogEntry.objects.log_actions(root.pk, [lobby], CHANGE)
    LogEntry.objects.get().save()
    assert len(lines) == 1
