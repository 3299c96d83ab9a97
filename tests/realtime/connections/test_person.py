"""Who has an id: whoever acts on somebody finds them by it."""

import pytest
from django.contrib.auth.models import User

from chat.models import Room
from realtime import db
from realtime.access import Identity
from realtime.connections import person_of, user_of
from realtime.people import ids_of
from realtime.testing import connect

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_user_is_found_as_they_are_now(alice: User) -> None:
    sender_id = ids_of([f"user:{alice.pk}"])[f"user:{alice.pk}"]
    User.objects.update(username="alicia")
    found = person_of(sender_id)
    assert found is not None
    assert (found.key, found.name, found.user, found.sender_id) == (f"user:{alice.pk}", "alicia", alice, sender_id)


def test_a_guest_is_found_by_what_they_wrote_under_the_name_they_had(lobby: Room) -> None:
    guest = Identity("guest:k", "Guest-7654321")
    sender_id = lobby.post(guest, "Hi").sender_id
    found = person_of(sender_id, lobby)
    assert found is not None
    assert (found.key, found.name, found.user) == ("guest:k", "Guest-7654321", None)


def test_a_guest_who_wrote_nothing_is_found_by_what_is_stored_of_them() -> None:
    found = person_of(ids_of(["guest:k"])["guest:k"])
    assert found is not None
    assert (found.key, found.name) == ("guest:k", Identity.of_guest("k").name)


async def test_a_guest_whom_no_cookie_keeps_is_found_while_they_are_connected(lobby: Room) -> None:
    async with connect("/ws/chat/lobby/") as socket:
        joined = await socket.next("joined")
        found = await db.run(person_of, joined["you_id"])
    assert found is not None
    assert found.name == joined["you"]
    assert await db.run(person_of, joined["you_id"]) is None


async def test_a_guest_whom_no_cookie_keeps_is_found_by_what_they_wrote(lobby: Room) -> None:
    async with connect("/ws/chat/lobby/") as socket:
        await socket.next("joined")
        await socket.command("send", text="Hi")
        said = await socket.next("chat")
    found = await db.run(person_of, said["sender_id"], lobby)
    assert found is not None
    assert found.name == said["sender"]


def test_nobody_has_an_unknown_id_or_none(lobby: Room) -> None:
    assert person_of("") is person_of("unknown", lobby) is person_of("", lobby) is None


def test_a_user_who_was_deleted_is_nobody(alice: User) -> None:
    sender_id = ids_of([f"user:{alice.pk}"])[f"user:{alice.pk}"]
    alice.delete()
    assert person_of(sender_id) is None


def test_a_user_is_found_by_their_id_and_a_guest_is_none(alice: User) -> None:
    ids = ids_of([f"user:{alice.pk}", "guest:k"])
    assert user_of(ids[f"user:{alice.pk}"]) == alice
    assert user_of(ids["guest:k"]) is user_of("unknown") is user_of("") is None
