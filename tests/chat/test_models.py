"""What can be done to rooms and messages, whoever does it and from wherever."""

import json
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Count
from pytest_django import Settings

from chat.models import Message, Room
from realtime.access import Identity
from realtime.protocol import Refused
from tests.anonymous import anonymous
from tests.realtime.listening import ALICE

pytestmark = pytest.mark.django_db
GUEST = Identity.of_guest("some-guest")
BOB = Identity("user:2", "bob")


def test_in_production_guests_read_new_rooms_and_members_write() -> None:
    room = Room.objects.create(name="new")
    assert (room.guest_access, room.member_access) == ("read", "write")


# Saying something.


def test_a_message_is_what_was_said_and_by_whom(lobby: Room) -> None:
    message = lobby.post(ALICE, "Hi", "7")
    event = anonymous(json.loads(message.stored().text))
    timestamp = event.pop("timestamp")
    assert event == {"type": "chat", "seq": 1, "sender": "alice", "message": "Hi", "id": "7"}
    assert timestamp.endswith("Z")


def test_a_message_without_an_id_has_none(lobby: Room) -> None:
    assert "id" not in json.loads(lobby.post(ALICE, "Hi").stored().text)


@pytest.mark.parametrize("text", ["x" * 10_000, "🎉" * 10_000, " ", "<b>", "\n"])
def test_what_may_be_said(text: str, lobby: Room) -> None:
    lobby.post(ALICE, text)
    assert Message.objects.get().text == text


def test_too_long_is_too_long(lobby: Room) -> None:
    with pytest.raises(Refused) as caught:
        lobby.post(ALICE, "x" * 10_001)
    assert caught.value.code == "too_long"
    assert caught.value.message == "Message too long (max 10000 chars)"


def test_without_a_limit_nothing_is_too_long(lobby: Room, settings: Settings) -> None:
    settings.CHORUS_MAX_TEXT = 0
    assert lobby.post(ALICE, "x" * 100_000).seq == 1


def test_a_message_stays_when_its_sender_is_deleted(lobby: Room, alice: User) -> None:
    lobby.post(Identity.of_user(alice), "Hi")
    alice.delete()
    assert Message.objects.get().sender_name == "alice"


# Deleting something.


@pytest.fixture
def hi(lobby: Room) -> Message:
    """Alice's message in the lobby."""
    return lobby.post(ALICE, "secret", "7")


def test_a_deletion_is_an_entry_of_its_own(lobby: Room, hi: Message) -> None:
    deletion = lobby.delete_message(ALICE, hi.seq, "8")
    event = anonymous(json.loads(deletion.stored().text))
    del event["timestamp"]
    assert event == {"type": "deleted", "seq": 2, "target": 1, "by": "alice", "id": "8"}
    assert deletion.stored().rewrites


def test_a_deletion_takes_the_text_away_for_good(lobby: Room, hi: Message) -> None:
    lobby.delete_message(ALICE, hi.seq)
    hi.refresh_from_db()
    assert (hi.text, hi.deleted) == ("", True)


def test_a_deleted_message_leaves_a_tombstone(lobby: Room, hi: Message) -> None:
    lobby.delete_message(ALICE, hi.seq)
    hi.refresh_from_db()
    event = anonymous(json.loads(hi.stored().text))
    del event["timestamp"]
    assert event == {"type": "chat", "seq": 1, "deleted": True, "sender": "alice"}


def test_others_may_not_delete(lobby: Room, hi: Message) -> None:
    for other in (BOB, GUEST, Identity("user:3", "alice")):
        with pytest.raises(Refused) as caught:
            lobby.delete_message(other, hi.seq)
        assert caught.value.code == "forbidden"
    assert Message.objects.get().text == "secret"


def test_a_guest_deletes_what_the_same_guest_said(lobby: Room) -> None:
    message = lobby.post(GUEST, "oops")
    assert lobby.delete_message(GUEST, message.seq).seq == 2


def test_a_moderator_deletes_anything(lobby: Room, hi: Message, bob: User) -> None:
    bob.user_permissions.add(Permission.objects.get(codename="moderate_room"))
    deletion = lobby.delete_message(Identity.of_user(User.objects.get(pk=bob.pk)), hi.seq)
    assert deletion.sender_name == "bob"
    assert Message.objects.get(seq=1).text == ""


def test_a_superuser_moderates(lobby: Room, hi: Message, root: User) -> None:
    assert lobby.delete_message(Identity.of_user(root), hi.seq).seq == 2


@pytest.mark.parametrize("target", [0, 2, 99, -1])
def test_what_is_not_there_cannot_be_deleted(lobby: Room, hi: Message, target: int) -> None:
    with pytest.raises(Refused) as caught:
        lobby.delete_message(ALICE, target)
    assert caught.value.code == "not_found"
    assert Room.objects.get().last_seq == 1


def test_a_message_is_deleted_once_and_a_deletion_never(lobby: Room, hi: Message) -> None:
    lobby.delete_message(ALICE, 1)
    for target in (1, 2):
        with pytest.raises(Refused) as caught:
            lobby.delete_message(ALICE, target)
        assert caught.value.code == "not_found"


def test_a_deletion_in_another_room_is_not_found(hi: Message) -> None:
    other = Room.objects.create(name="other")
    with pytest.raises(Refused):
        other.delete_message(ALICE, hi.seq)
    assert Message.objects.get().text == "secret"


def test_a_repeated_deletion_gives_the_first(lobby: Room, hi: Message) -> None:
    first = lobby.delete_message(ALICE, 1, "8")
    again = lobby.delete_message(ALICE, 1, "8")
    assert (again.seq, again.duplicate) == (first.seq, True)


def test_an_id_used_for_a_message_is_none_for_a_deletion(lobby: Room, hi: Message) -> None:
    with pytest.raises(Refused) as caught:
        lobby.delete_message(ALICE, 1, "7")
    assert caught.value.code == "id_conflict"


def test_a_repeated_message_that_was_deleted_meanwhile_is_not_said_again(lobby: Room, hi: Message) -> None:
    lobby.delete_message(ALICE, 1)
    again = lobby.post(ALICE, "secret", "7")
    assert (again.seq, again.duplicate, again.deleted) == (1, True, True)


# As pages and admin see them.


def test_a_room_is_called_by_its_title_or_its_name() -> None:
    assert str(Room(name="lobby")) == "lobby"
    assert str(Room(name="lobby", title="The Lobby")) == "The Lobby"
    assert Room(name="lobby").get_absolute_url() == "/chat/lobby/"


@pytest.mark.django_db
@pytest.mark.parametrize("other", [False, True])
def test_the_room_that_pages_lead_to_is_made_where_there_is_none_at_all(other: bool) -> None:
    if other:
        Room.objects.create(name="other")
    import_module("chat.migrations.0006_lobby").make(apps, SimpleNamespace(connection=connection))
    assert [found.name for found in Room.objects.all()] == ["other" if other else "lobby"]


# Moderators.


def names_of(group: Group) -> set[str]:
    return set(group.permissions.values_list("codename", flat=True))


@pytest.mark.parametrize("empty", [False, True])
def test_a_new_site_has_moderators_before_and_after_it_has_permissions(
    empty: bool, request: pytest.FixtureRequest
) -> None:
    if empty:
        request.addfinalizer(ContentType.objects.clear_cache)
        ContentType.objects.all().delete()  # permissions go with them, as before the end of the first `migrate`
    made: Group = request.getfixturevalue("moderators")
    assert names_of(made) == {"moderate_room", "view_room", "view_message", "view_sanction"}
    create_permissions(apps.get_app_config("chat"), verbosity=0)
    assert not Permission.objects.values("content_type", "codename").annotate(n=Count("pk")).filter(n__gt=1)
    assert names_of(made) == {"moderate_room", "view_room", "view_message", "view_sanction"}


def test_a_team_s_own_group_of_that_name_stays_as_it_is(request: pytest.FixtureRequest) -> None:
    Group.objects.create(name="Moderators")
    assert names_of(request.getfixturevalue("moderators")) == set()


def test_who_is_in_that_group_moderates_and_is_no_staff(mod: User) -> None:
    assert mod.has_perm("chat.moderate_room")
    assert not mod.is_staff
