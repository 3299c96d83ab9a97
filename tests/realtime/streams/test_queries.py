"""Streams as visitors meet them: opened by name, and those that they may read. Rooms stand for all."""

import asyncio
from contextlib import nullcontext

import pytest
from django.contrib.auth.models import Group, Permission, User
from pytest_django import Settings

from accounts.models import Token
from accounts.secret import new_secret
from chat.models import Room
from realtime import db
from realtime.access import Identity
from realtime.protocol import CloseCode, Refused
from realtime.secrecy import NOT_SAYABLE
from realtime.streams.grants import GRANT_FIELDS
from realtime.streams.queries import added_by, may_make, missing

pytestmark = pytest.mark.django_db
GUEST = Identity.of_guest("some-guest")
BOB = Identity("user:2", "bob")


def refused(what: pytest.ExceptionInfo[Refused]) -> tuple[str, CloseCode | None]:
    return what.value.code, what.value.close


# Opening one.


@pytest.mark.parametrize("name", ["lobby", "Lobby", "LOBBY"])
def test_a_room_is_found_by_its_name_in_any_case(name: str, lobby: Room) -> None:
    assert Room.objects.open(name, GUEST) == lobby


@pytest.mark.parametrize("name", ["", " ", "a b", ".hidden", "ü", "x" * 65, "a/b", "lobby\n", "\x00", "a%20b"])
def test_what_is_no_name_opens_nothing(name: str, development: None) -> None:
    with pytest.raises(Refused) as caught:
        Room.objects.open(name, GUEST)
    assert refused(caught) == ("invalid", CloseCode.BAD_NAME)
    assert not Room.objects.exists()


def test_a_name_that_is_a_token_opens_nothing(development: None) -> None:
    with pytest.raises(Refused, match=NOT_SAYABLE) as caught:
        Room.objects.open(new_secret(), GUEST)
    assert refused(caught) == ("invalid", CloseCode.BAD_NAME)


def test_in_development_the_first_visitor_makes_a_room(development: None) -> None:
    room = Room.objects.open("New", GUEST)
    assert (room.name, room.guest_access, room.member_access) == ("new", "write", "write")
    assert Room.objects.open("new", BOB) == room


def test_in_production_nobody_finds_a_room_that_is_not_there() -> None:
    with pytest.raises(Refused) as caught:
        Room.objects.open("new", GUEST)
    assert refused(caught) == ("not_found", CloseCode.NO_SUCH_STREAM)


@pytest.mark.parametrize(("permission", "makes"), [("add_room", True), ("add_counter", False), ("change_room", False)])
def test_in_production_who_may_add_rooms_makes_them(permission: str, makes: bool, alice: User) -> None:
    alice.is_staff = True
    alice.user_permissions.add(Permission.objects.get(codename=permission))
    with nullcontext() if makes else pytest.raises(Refused):
        Room.objects.open("new", Identity.of_user(alice))
    assert Room.objects.filter(name="new").exists() == makes


def test_what_only_asks_makes_none_in_production(root: User, settings: Settings) -> None:
    with pytest.raises(Refused) as caught:
        Room.objects.open("new", Identity.of_user(root), make=False)
    assert refused(caught) == ("not_found", CloseCode.NO_SUCH_STREAM)
    settings.DEBUG = True
    assert Room.objects.open("new", Identity.of_user(root), make=False).pk


def test_the_permission_is_that_to_add_rows(alice: User, root: User, settings: Settings) -> None:
    assert added_by(Room) == "chat.add_room"
    assert missing(Room) == "There is no such room."
    assert [may_make(Room, user) for user in (None, alice, root)] == [False, False, True]
    settings.DEBUG = True
    assert may_make(Room, None)


@pytest.mark.django_db(transaction=True)
async def test_a_room_that_two_open_at_the_same_time_is_made_once(development: None) -> None:
    rooms = await asyncio.gather(*[db.run(Room.objects.open, "new", GUEST) for _ in range(6)])
    assert len({room.pk for room in rooms}) == 1


@pytest.mark.parametrize("scope", ["chat:read", "chat:write:new"])
def test_the_first_to_come_may_make_a_room_with_a_token_for_it(root: User, scope: str) -> None:
    Room.objects.open("new", Identity.of_user(root, Token(owner=root, scopes=[scope])))
    assert Room.objects.filter(name="new").exists()


def test_a_token_for_something_else_makes_no_room(root: User) -> None:
    with pytest.raises(Refused, match=r"This token's scopes do not include chat:read:new\."):
        Room.objects.open("new", Identity.of_user(root, Token(owner=root, scopes=["counter:write"])))
    assert not Room.objects.exists()


# Listing them.


def test_lists_hold_what_their_reader_may_read(alice: User, root: User) -> None:
    for guests, members in (("none", "none"), ("none", "read"), ("read", "none"), ("write", "write")):
        Room.objects.create(name=f"{guests}-{members}", guest_access=guests, member_access=members)
    names = {
        who: sorted(Room.objects.readable_by(who_asks).values_list("name", flat=True))
        for who, who_asks in (
            ("guest", Identity.of_guest()),
            ("member", Identity.of_user(alice)),
            ("root", Identity.of_user(root)),
        )
    }
    assert names["guest"] == ["read-none", "write-write"]
    assert names["member"] == ["none-read", "write-write"]
    assert len(names["root"]) == 4


@pytest.mark.parametrize("field", GRANT_FIELDS)
def test_lists_hold_what_people_and_groups_are_let_into(field: str, alice: User, bob: User) -> None:
    team = Group.objects.create(pk=alice.pk + 1000, name="team")  # no user's key
    alice.groups.add(team)
    for name in ("theirs", "others"):
        Room.objects.create(name=name, guest_access="none", member_access="none")
    getattr(Room.objects.get(name="theirs"), field).add(team if field.endswith("groups") else alice)
    assert [room.name for room in Room.objects.readable_by(Identity.of_user(alice))] == ["theirs"]
    assert not Room.objects.readable_by(Identity.of_user(bob)).exists()
