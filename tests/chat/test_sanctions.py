"""Mutes and bans: which hold, and what is said of them to whoever they are about."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User

from chat.forms import SanctionForm
from chat.models import Room
from chat.sanctions import InForce, Sanction
from realtime.access import Identity, Rights
from realtime.protocol import Refused

UNTIL = datetime(2026, 5, 4, 9, 40, tzinfo=UTC)
MUTE, BAN = Sanction.Kind.MUTE, Sanction.Kind.BAN
GUEST = Identity("guest:abc", "Guest-1234")


@pytest.mark.parametrize(
    ("sanction", "words"),
    [
        (InForce(MUTE, None, None, ""), "You are muted in this room."),
        (InForce(BAN, None, None, "Spam"), "You are banned from this room. Reason: Spam"),
        (InForce(MUTE, 60, UNTIL, ""), "You are muted in this room until 2026-05-04 09:40 UTC."),
        (InForce(BAN, 60, UNTIL, "Spam"), "You are banned from this room until 2026-05-04 09:40 UTC. Reason: Spam"),
    ],
)
def test_who_it_is_about_reads_until_when_and_why(sanction: InForce, words: str) -> None:
    assert sanction.words == words


@pytest.mark.django_db
def test_a_refusal_says_it(lobby: Room, alice: User, root: User) -> None:
    identity = Identity.of_user(alice)
    until = lobby.sanction(MUTE, identity, root, seconds=600, reason="Shouting").until
    assert until is not None
    told = f"You are muted in this room until {until:%Y-%m-%d %H:%M} UTC. Reason: Shouting"
    rights = Rights(identity, Room.objects.get())
    assert (rights.read, rights.write) == (None, told)
    assert rights.restriction is not None
    assert rights.restriction[:2] == ("Shouting", until)
    assert 590 < (rights.seconds or 0) <= 600


@pytest.mark.django_db
def test_of_a_mute_and_a_ban_the_ban_is_told(lobby: Room, root: User) -> None:
    lobby.sanction(MUTE, GUEST, root, reason="Shouting")
    lobby.sanction(BAN, GUEST, root, seconds=600, reason="Threats")
    rights = Rights(GUEST, Room.objects.get())
    assert str(rights.read).endswith("Reason: Threats")
    assert str(rights.write).endswith("Reason: Threats")


@pytest.mark.django_db
def test_a_new_one_takes_the_place_of_the_one_that_holds(lobby: Room, root: User) -> None:
    for seconds in (None, 600):
        lobby.sanction(MUTE, GUEST, root, seconds=seconds)
    lobby.sanction(MUTE, Identity("guest:other", "Guest-4321"), root)
    lobby.sanction(BAN, GUEST, root)
    assert sorted(Sanction.objects.values_list("kind", "identity_key")) == [
        ("ban", "guest:abc"),
        ("mute", "guest:abc"),
        ("mute", "guest:other"),
    ]
    assert Sanction.objects.get(kind=MUTE, identity_key=GUEST.key).until is not None


@pytest.mark.django_db
def test_what_is_lifted_holds_no_more(lobby: Room, root: User) -> None:
    lobby.sanction(MUTE, GUEST, root).lift()
    rights = Rights(GUEST, Room.objects.get())
    assert (rights.write, rights.restriction) == (None, None)


@pytest.mark.django_db
def test_nothing_holds_for_superusers(lobby: Room, root: User) -> None:
    lobby.sanction(BAN, Identity.of_user(root), None)
    rights = Rights(Identity.of_user(root), Room.objects.get())
    assert (rights.read, rights.restriction) == (None, None)


@pytest.mark.django_db
@pytest.mark.parametrize("bad", ["a\x07b", "it is {secret}"])
def test_a_reason_is_what_may_be_said_in_a_room(bad: str, lobby: Room, root: User, secret: str) -> None:
    reason = bad.format(secret=secret)
    with pytest.raises(Refused) as refused:
        lobby.sanction(MUTE, GUEST, root, reason=reason)
    assert refused.value.code == "invalid"
    assert not Sanction.objects.exists()
    form = SanctionForm({"kind": "mute", "how_long": "600", "reason": reason})
    assert [*form.errors] == ["reason"]
