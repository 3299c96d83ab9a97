"""Who keeps order in a room, on whom, and what is written down of it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from accounts.models import Token
from chat.models import Room, Sanction
from chat.moderation import Moderator
from realtime.access import Identity
from realtime.protocol import Refused

pytestmark = pytest.mark.django_db
MUTE, BAN = Sanction.Kind.MUTE, Sanction.Kind.BAN
GUEST = Identity("guest:abc", "Guest-1234")


def refused(by: Identity, room: str = "lobby") -> tuple[str, str]:
    """How somebody is refused who would moderate."""
    with pytest.raises(Refused) as caught:
        Moderator.of(room, by)
    return caught.value.code, caught.value.message


def notes() -> list[tuple[str, str, str]]:
    found = LogEntry.objects.order_by("pk").select_related("user")
    return [(str(entry.user), entry.object_repr, entry.change_message) for entry in found]


# Who.


def test_who_has_the_permission_moderates_where_they_may_read(mod: User, lobby: Room, vault: Room) -> None:
    by = Identity.of_user(mod)
    assert Moderator.of("lobby", by).room == lobby
    assert refused(by, "vault") == refused(by, "nowhere") == ("not_found", "There is no such room.")
    vault.readers.add(mod)
    assert Moderator.of("vault", by).room == vault


def test_a_banned_moderator_keeps_no_order(mod: User, lobby: Room) -> None:
    by = Identity.of_user(mod)
    lobby.sanction(BAN, by, None)
    assert refused(by) == ("forbidden", "You are banned from this room.")


def test_others_do_not(alice: User, lobby: Room) -> None:
    for by in (Identity.of_user(alice), GUEST):
        code, message = refused(by)
        assert (code, "permission" in message) == ("forbidden", True)


@pytest.mark.parametrize("scope", ["chat:moderate", "chat:moderate:lobby", "*"])
def test_a_token_moderates_by_a_scope_of_its_own(scope: str, mod: User, lobby: Room) -> None:
    token = Token.issue(mod, "bot", [scope])[0]
    assert Moderator.of("lobby", Identity.of_user(mod, token)).room == lobby


@pytest.mark.parametrize("scope", ["chat:read", "chat:write", "chat:moderate:other", "counter:write"])
def test_a_token_for_something_else_does_not(scope: str, mod: User, lobby: Room) -> None:
    token = Token.issue(mod, "bot", [scope])[0]
    assert refused(Identity.of_user(mod, token))[0] == "forbidden"


def test_a_token_does_not_make_a_moderator(alice: User, lobby: Room) -> None:
    token = Token.issue(alice, "bot", ["*"])[0]
    assert refused(Identity.of_user(alice, token))[0] == "forbidden"


# On whom.


def test_staff_superusers_and_oneself_are_spared_with_the_reason(mod: User, root: User, bob: User, lobby: Room) -> None:
    bob.is_staff = True
    moderator = Moderator.of("lobby", Identity.of_user(mod))
    for user, why in ((root, "Superusers"), (bob, "only superusers"), (mod, "This is you")):
        whom = Identity.of_user(user)
        for act in (
            lambda: moderator.impose(MUTE, whom, seconds=None, reason=""),  # noqa: B023 - called at once
            lambda: moderator.lift(MUTE, whom),  # noqa: B023
            lambda: moderator.disconnect(whom),  # noqa: B023
        ):
            with pytest.raises(Refused, match=why):
                act()
    assert not Sanction.objects.exists()
    assert notes() == []


# What.


def test_what_is_done_is_written_down(mod: User, alice: User, lobby: Room) -> None:
    moderator, whom = Moderator.of("lobby", Identity.of_user(mod)), Identity.of_user(alice)
    made = moderator.impose(MUTE, whom, seconds=600, reason="Shouting")
    assert made.by == mod
    moderator.lift(MUTE, whom)
    moderator.impose(BAN, GUEST, seconds=None, reason="")
    moderator.disconnect(GUEST)
    assert notes() == [
        (
            "mod",
            "lobby",
            f"Imposed: alice may not write in lobby until {made.until:%Y-%m-%d %H:%M} UTC. Reason: Shouting",
        ),
        ("mod", "lobby", "Lifted: alice may not write in lobby."),
        ("mod", "lobby", "Imposed: Guest-1234 may not enter in lobby for good."),
        ("mod", "lobby", "Disconnected Guest-1234 in lobby."),
    ]


def test_what_does_not_hold_is_not_lifted(mod: User, alice: User, lobby: Room) -> None:
    moderator = Moderator.of("lobby", Identity.of_user(mod))
    with pytest.raises(Refused, match="alice is not banned here"):
        moderator.lift(BAN, Identity.of_user(alice))
    assert notes() == []


def test_others_messages_are_deleted_by_a_token_that_is_for_moderating(mod: User, lobby: Room) -> None:
    tokens = [Token.issue(mod, "bot", [scope])[0] for scope in ("chat:write", "chat:moderate:other", "chat:moderate")]
    said = lobby.post(GUEST, "Hi")
    writes, elsewhere, moderates = [Identity.of_user(mod, token) for token in tokens]
    for by in (writes, elsewhere):
        with pytest.raises(Refused, match="You may delete your own messages only"):
            lobby.delete_message(by, said.seq)
    lobby.delete_message(moderates, said.seq)
    own = lobby.post(writes, "Oops")
    lobby.delete_message(writes, own.seq)
