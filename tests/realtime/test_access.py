"""Who speaks, and what they may do to a stream."""

import re

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts.models import Token
from chat.models import Room
from realtime.access import AccessLevel, Action, Identity, guest_name, require
from realtime.protocol import CloseCode, Refused

GUEST = Identity.of_guest("some-guest")


def allowed(identity: Identity, room: Room) -> str:
    """What somebody may do in a room, in letters."""
    refusals = {"r": refusal_of(identity, "read", room), "w": refusal_of(identity, "write", room)}
    assert {refusal.code for refusal in refusals.values() if refusal} <= {"forbidden"}
    assert refusals["r"] is None or refusals["r"].close == CloseCode.NOT_ALLOWED
    assert refusals["w"] is None or refusals["w"].close is None
    return "".join(letter for letter, refusal in refusals.items() if refusal is None)


def refusal_of(identity: Identity, action: Action, room: Room) -> Refused | None:
    try:
        require(identity, action, room)
    except Refused as refusal:
        return refusal
    return None


@pytest.mark.parametrize(("level", "expected"), [("none", ""), ("read", "r"), ("write", "rw")])
def test_a_guest_may_what_guests_may(level: str, expected: str) -> None:
    room = Room(name="lobby", guest_access=level, member_access="write")
    assert allowed(GUEST, room) == expected


@pytest.mark.parametrize(("level", "expected"), [("none", ""), ("read", "r"), ("write", "rw")])
def test_a_member_may_what_members_may(level: str, expected: str) -> None:
    room = Room(name="lobby", guest_access="read", member_access=level)
    assert allowed(Identity.of_user(User(pk=1, username="alice")), room) == expected


def test_a_superuser_may_everything() -> None:
    room = Room(name="lobby", guest_access="none", member_access="none")
    assert allowed(Identity.of_user(User(pk=1, username="root", is_superuser=True)), room) == "rw"


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (["*"], "rw"),
        (["chat:read"], "r"),
        (["chat:write"], "w"),
        (["chat:read", "chat:write"], "rw"),
        (["counter:write"], ""),
        ([], ""),
    ],
)
def test_a_token_narrows_what_its_owner_may(scopes: list[str], expected: str) -> None:
    alice = User(pk=1, username="alice")
    identity = Identity.of_user(alice, Token(owner=alice, scopes=scopes))
    assert allowed(identity, Room(name="lobby")) == expected


def test_a_token_never_widens_what_its_owner_may() -> None:
    alice = User(pk=1, username="alice")
    identity = Identity.of_user(alice, Token(owner=alice, scopes=["*"]))
    assert allowed(identity, Room(name="lobby", member_access="read")) == "r"


def test_a_superuser_s_token_is_narrowed_too() -> None:
    root = User(pk=1, username="root", is_superuser=True)
    identity = Identity.of_user(root, Token(owner=root, scopes=["chat:read"]))
    assert allowed(identity, Room(name="lobby")) == "r"


@pytest.mark.parametrize("name", ["lobby", "team.a"])
def test_a_token_for_one_room_is_good_for_that_room(name: str) -> None:
    alice = User(pk=1, username="alice")
    identity = Identity.of_user(alice, Token(owner=alice, scopes=[f"chat:write:{name}", "chat:read:team.*"]))
    assert allowed(identity, Room(name=name)) == ("rw" if name == "team.a" else "w")
    assert allowed(identity, Room(name="other")) == ""


def test_who_is_refused_is_told_what_would_help() -> None:
    alice = User(pk=1, username="alice")
    for identity, room, message in [
        (GUEST, Room(name="lobby", guest_access="read"), "Guests may not write here. Log in first."),
        (Identity.of_user(alice), Room(name="lobby", member_access="read"), "Members may not write here."),
        (
            Identity.of_user(alice, Token(owner=alice, scopes=["chat:read"])),
            Room(name="lobby"),
            "This token's scopes do not include chat:write:lobby.",
        ),
    ]:
        refusal = refusal_of(identity, "write", room)
        assert refusal is not None
        assert refusal.message == message


@pytest.mark.django_db
def test_a_private_room_answers_as_one_that_is_not_there(settings: Settings, alice: User, bob: User) -> None:
    room = Room.objects.create(name="vault", guest_access="none", member_access="none")
    room.writers.add(bob)
    muted = Identity.of_user(alice, Token(owner=alice, scopes=["chat:read"]))
    for identity in (GUEST, Identity.of_user(alice), muted):
        with pytest.raises(Refused) as missing:
            Room.objects.open("nowhere", identity)
        for action in ("read", "write"):
            refusal = refusal_of(identity, action, Room.objects.get())
            assert refusal is not None
            assert (refusal.code, refusal.message, refusal.close) == (
                missing.value.code,
                missing.value.message,
                missing.value.close,
            )
    assert allowed(Identity.of_user(bob), Room.objects.get()) == "rw"
    writes = Identity.of_user(bob, Token(owner=bob, scopes=["chat:write"]))
    assert allowed(writes, Room.objects.get()) == "w"  # who may do anything there knows of it
    settings.DEBUG = True
    assert allowed(GUEST, Room.objects.get()) == ""  # a room that is not there would be made


def test_guests_write_in_development_and_read_in_production(settings: Settings) -> None:
    assert AccessLevel.for_guests() == "read"
    settings.DEBUG = True
    assert AccessLevel.for_guests() == "write"


def test_a_guest_is_known_again_by_the_key() -> None:
    assert Identity.of_guest("some-guest") == GUEST
    assert GUEST.key == "guest:some-guest"
    assert re.fullmatch(r"Guest-[1-9]\d{6}", GUEST.name)


def test_a_guest_has_other_names_to_choose_from() -> None:
    names = [guest_name("some-guest", attempt) for attempt in range(50)]
    assert names[0] == GUEST.name
    assert len(set(names)) == 50


def test_a_guest_without_a_key_is_a_new_one() -> None:
    assert Identity.of_guest().key != Identity.of_guest().key
    assert Identity.of_guest("").key != Identity.of_guest("").key


def test_a_user_is_the_same_with_and_without_a_token() -> None:
    alice = User(pk=7, username="alice")
    assert Identity.of_user(alice).key == Identity.of_user(alice, Token(owner=alice)).key == "user:7"
    assert Identity.of_user(alice).name == "alice"
