"""Ids of people whom nothing names and nobody asks for go with pruning."""

import pytest
from django.contrib.auth.models import User

from chat.models import Message, Room
from realtime.access import Identity
from realtime.models import Person
from realtime.people import ids_of
from realtime.streams import dead
from realtime.streams.retention import steps

pytestmark = pytest.mark.django_db
LONG_AGO = "2026-01-01T00:00:00Z"


def left() -> set[str]:
    """Whose ids are there after a step."""
    dead.people()
    return set(Person.objects.values_list("key", flat=True))


def test_it_is_among_what_is_pruned() -> None:
    assert dead.people in steps


def test_a_guest_who_wrote_nothing_goes_after_a_week() -> None:
    ids_of(["guest:idle", "guest:new"])
    Person.objects.filter(key="guest:idle").update(seen_at=LONG_AGO)
    assert left() == {"guest:new"}


def test_who_wrote_something_stays_until_it_is_gone(lobby: Room) -> None:
    lobby.post(Identity.of_guest("k"), "Hi")
    Person.objects.update(seen_at=LONG_AGO)
    assert left() == {"guest:k"}
    Message.objects.all().delete()
    assert left() == {"guest:k"}  # who was kept is looked at again in a week
    Person.objects.update(seen_at=LONG_AGO)
    assert left() == set()


def test_a_user_stays_until_they_are_deleted(alice: User) -> None:
    ids_of([f"user:{alice.pk}"])
    Person.objects.update(seen_at=LONG_AGO)
    assert left() == {f"user:{alice.pk}"}
    alice.delete()
    Person.objects.update(seen_at=LONG_AGO)
    assert left() == set()


def test_a_step_looks_at_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead, "PRUNED_AT_ONCE", 2)
    ids_of(["guest:a", "guest:b", "guest:c"])
    Person.objects.update(seen_at=LONG_AGO)
    assert [dead.people(), dead.people()] == [True, False]
    assert not Person.objects.exists()


def test_a_program_is_always_the_same() -> None:
    ids_of(["program:notify"])
    Person.objects.update(seen_at=LONG_AGO)
    assert left() == {"program:notify"}
