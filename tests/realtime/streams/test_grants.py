"""Whom a stream lets in beyond its levels. Rooms stand for all."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.contrib.auth.models import Group, User
from pytest_django import DjangoAssertNumQueries

from chat.models import Room
from realtime.access import Action, Identity
from realtime.streams.grants import GRANT_FIELDS, NO_GRANTS, granted_to, grants_of

pytestmark = pytest.mark.django_db
ACTIONS: tuple[Action, ...] = ("read", "write")


@pytest.fixture
def team(alice: User) -> Group:
    """A group with Alice in it, whose key is no user's."""
    group = Group.objects.create(pk=alice.pk + 1000, name="team")
    alice.groups.add(group)
    return group


Let = Callable[[str], None]


@pytest.fixture
def let(lobby: Room, alice: User, team: Group) -> Let:
    """Puts Alice, or her group, into one of the lobby's fields."""
    return lambda field: getattr(lobby, field).add(team if field.endswith("groups") else alice)


@pytest.mark.parametrize(
    ("field", "allowed"),
    [("readers", "r"), ("reader_groups", "r"), ("writers", "rw"), ("writer_groups", "rw")],
)
def test_who_may_write_may_read_and_nobody_else_may(
    field: str, allowed: str, lobby: Room, let: Let, alice: User, bob: User
) -> None:
    let(field)
    grants = grants_of(Room, [lobby.pk])[lobby.pk]
    covered = [action for action in ACTIONS if grants.cover(Identity.of_user(alice), action)]
    assert "".join(action[0] for action in covered) == allowed
    assert not any(grants.cover(Identity.of_user(bob), action) for action in ACTIONS)


def test_a_stream_that_lets_in_nobody_covers_nobody(lobby: Room, alice: User, team: Group) -> None:
    assert grants_of(Room, [lobby.pk]) == {lobby.pk: NO_GRANTS}
    assert not any(NO_GRANTS.cover(Identity.of_user(alice), action) for action in ACTIONS)


def test_the_grants_of_many_are_four_queries(
    lobby: Room, alice: User, bob: User, team: Group, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    other = Room.objects.create(name="other")
    lobby.readers.add(alice, bob)
    other.readers.add(bob)
    other.writer_groups.add(team)
    with django_assert_num_queries(4):
        found = grants_of(Room, [lobby.pk, other.pk])
    assert found[lobby.pk] == replace(NO_GRANTS, readers=frozenset({alice.pk, bob.pk}))
    assert found[other.pk] == replace(NO_GRANTS, readers=frozenset({bob.pk}), writer_groups=frozenset({team.pk}))


@pytest.mark.parametrize("field", GRANT_FIELDS)
def test_the_streams_that_let_somebody_in_are_found(field: str, lobby: Room, let: Let, alice: User, bob: User) -> None:
    Room.objects.create(name="other")
    let(field)
    assert [*Room.objects.filter(pk__in=granted_to(Room, field, alice))] == [lobby]
    assert not Room.objects.filter(pk__in=granted_to(Room, field, bob)).exists()
