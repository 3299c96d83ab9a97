"""Rooms in admin: who may enter, who is muted or banned, how much is said."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from chat.models import Room, Sanction
from realtime import db
from realtime.access import Identity
from realtime.hub.hub import current_hub
from realtime.newest_formset import SHOWN
from realtime.testing import connect, until
from tests.realtime.past import said

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)
LIST = "admin:chat_sanction_changelist"
GUEST = Identity("guest:abc", "Guest-1234")


def page_of(room: Room) -> str:
    return reverse("admin:chat_room_change", args=[room.pk])


def form(room: Room, *added: dict[str, Any], lifted: Sanction | None = None, **fields: Any) -> dict[str, Any]:
    """The room's form as it is sent, with sanctions added and one lifted."""
    levels = {"guest_access": "write", "member_access": "write", "keep_days": "30", "keep_entries": "10"}
    sent = {"title": room.title, "description": "", **levels, **fields}
    rows: list[dict[str, Any]] = [{"id": lifted.pk, "room": room.pk, "DELETE": "on"}] if lifted else []
    initial = len(rows)
    rows += added
    sent |= {"sanctions-TOTAL_FORMS": len(rows), "sanctions-INITIAL_FORMS": initial}
    sent |= {f"sanctions-{number}-{name}": value for number, row in enumerate(rows) for name, value in row.items()}
    return sent


def mute(user: User, **fields: str) -> dict[str, Any]:
    return {"user": user.pk, "kind": "mute", "how_long": "600", "reason": "spam", **fields}


# Access.


def test_a_room_is_for_its_people(staff: Client, lobby: Room, alice: User, bob: User) -> None:
    team = Group.objects.create(name="team")
    bob.groups.add(team)
    nothing: dict[str, Any] = {"guest_access": "none", "member_access": "none"}
    staff.post(page_of(lobby), form(lobby, **nothing, readers=[alice.pk], writer_groups=[team.pk]))
    room = Room.objects.get()
    assert room.denies(Identity.of_user(alice), "read") is None
    assert room.denies(Identity.of_user(alice), "write") is not None
    assert room.denies(Identity.of_user(bob), "write") is None
    assert room.denies(GUEST, "read") is not None


def test_the_form_says_how_the_lists_add_to_the_levels(staff: Client, lobby: Room) -> None:
    page = staff.get(page_of(lobby)).text
    assert "may do it even where members may not, and in a private room they alone" in page
    assert page.count("admin-autocomplete") >= 4


# On the room's page.


def test_a_mute_is_imposed_for_a_time_by_who_is_logged_in(staff: Client, lobby: Room, alice: User, root: User) -> None:
    answer = staff.post(page_of(lobby), form(lobby, mute(alice)))
    assert answer.status_code == 302
    made = Sanction.objects.in_force().get()
    assert (made.identity_key, made.name, made.kind, made.by, made.reason) == (
        Identity.of_user(alice).key,
        "alice",
        "mute",
        root,
        "spam",
    )
    assert made.left is not None
    assert timedelta(minutes=9) < made.left <= timedelta(minutes=10)
    assert "alice may not write in lobby" in str(LogEntry.objects.get().get_change_message())


def test_a_ban_can_be_for_good(staff: Client, lobby: Room, alice: User) -> None:
    staff.post(page_of(lobby), form(lobby, mute(alice, kind="ban", how_long="")))
    assert Sanction.objects.get().until is None
    assert "for good" in staff.get(page_of(lobby)).text


def test_ticking_delete_lifts_it(staff: Client, lobby: Room, alice: User, root: User) -> None:
    sanction = lobby.sanction(Sanction.Kind.MUTE, Identity.of_user(alice), root)
    assert staff.post(page_of(lobby), form(lobby, lifted=sanction)).status_code == 302
    assert not Sanction.objects.exists()


@pytest.mark.parametrize("wrong", [{"user": ""}, {"kind": "kill"}, {"how_long": "5"}, {"reason": "x" * 201}])
def test_what_makes_no_sense_is_told_in_the_form(
    wrong: dict[str, str], staff: Client, lobby: Room, alice: User
) -> None:
    answer = staff.post(page_of(lobby), form(lobby, {**mute(alice), **wrong}))
    assert answer.status_code == 200
    assert "Please correct the error" in answer.text
    assert not Sanction.objects.exists()


def test_superusers_are_not_muted_in_vain(staff: Client, lobby: Room, root: User) -> None:
    assert "neither muted nor banned" in staff.post(page_of(lobby), form(lobby, mute(root))).text
    assert not Sanction.objects.exists()


def test_who_may_change_rooms_and_not_moderate_sanctions_nobody(
    lobby: Room, helper: Callable[..., Client], bob: User
) -> None:
    browser = helper("view_room", "change_room")
    assert "sanctions-TOTAL_FORMS" not in browser.get(page_of(lobby)).text
    browser.post(page_of(lobby), form(lobby, mute(bob)))
    assert not Sanction.objects.exists()
    browser = helper("view_room", "change_room", "moderate_room")
    browser.post(page_of(lobby), form(lobby, mute(bob)))
    assert Sanction.objects.get().name == "bob"


def test_of_many_the_newest_are_there_and_a_way_to_all(staff: Client, lobby: Room, root: User) -> None:
    for number in range(SHOWN + 10):
        lobby.sanction(Sanction.Kind.BAN, Identity(f"guest:{number}", f"Guest-{number}"), root)
    page = staff.get(page_of(lobby)).text
    assert page.count("may not enter in lobby") == SHOWN
    assert f"Guest-{SHOWN + 9} may" in page
    assert f"These are the newest of {SHOWN + 10}." in page
    assert f'<a href="{reverse(LIST)}?room__id__exact={lobby.pk}">' in page


def test_a_ban_that_came_while_the_form_was_open_hinders_nothing(
    staff: Client, lobby: Room, alice: User, bob: User, root: User
) -> None:
    shown = lobby.sanction(Sanction.Kind.MUTE, Identity.of_user(alice), root)
    for number in range(SHOWN):
        lobby.sanction(Sanction.Kind.BAN, Identity(f"guest:{number}", f"Guest-{number}"), root)
    assert staff.post(page_of(lobby), form(lobby, mute(bob), lifted=shown)).status_code == 302
    assert not Sanction.objects.filter(name="alice").exists()
    assert Sanction.objects.filter(name="bob").exists()


# Lifting.


@in_threads
@pytest.mark.parametrize("way", ["lift", "delete", "queryset", "page", "action"])
async def test_however_a_ban_is_lifted_open_sockets_learn_of_it(
    way: str, staff: Client, lobby: Room, alice: User, root: User
) -> None:
    sanction = await db.run(lambda: lobby.sanction(Sanction.Kind.MUTE, Identity.of_user(alice), root))
    ways: dict[str, Any] = {
        "lift": sanction.lift,
        "delete": sanction.delete,
        "queryset": Sanction.objects.filter(pk=sanction.pk).delete,
        "page": lambda: staff.post(reverse("admin:chat_sanction_delete", args=[sanction.pk]), {"post": "yes"}),
        "action": lambda: staff.post(
            reverse(LIST), {"action": "delete_selected", "post": "yes", "_selected_action": [sanction.pk]}
        ),
    }
    async with connect("/ws/chat/lobby/", user=alice) as socket:
        await socket.next("joined")
        await socket.command("send", text="may I?")
        assert (await socket.next("error"))["message"] == "You are muted in this room."
        await db.run(ways[way])
        consumer: Any = next(iter(current_hub().sockets))
        await until(lambda: consumer.rights.write is None)
        await socket.command("send", text="now?")
        await socket.next("chat", message="now?")
    assert not await Sanction.objects.aexists()


def test_a_room_with_sanctions_can_be_deleted(staff: Client, lobby: Room, alice: User, root: User) -> None:
    lobby.sanction(Sanction.Kind.BAN, Identity.of_user(alice), root)
    staff.post(reverse("admin:chat_room_delete", args=[lobby.pk]), {"post": "yes"})
    assert not Room.objects.exists()


def test_a_superuser_who_was_once_muted_deletes_rooms_all_the_same(staff: Client, lobby: Room, root: User) -> None:
    lobby.sanction(Sanction.Kind.MUTE, Identity.of_user(root), root)
    staff.post(reverse("admin:chat_room_delete", args=[lobby.pk]), {"post": "yes"})
    assert not Room.objects.exists()


# Activity.


def test_a_room_s_page_draws_it_and_has_it_as_a_table(staff: Client, lobby: Room) -> None:
    said(lobby, 0, "a", "b")
    said(lobby, 3, "a")
    page = staff.get(page_of(lobby)).text
    assert page.count("<rect") == 30
    assert page.count('height="80"') == 1
    assert 'height="40"' in page
    assert "3 in 30 days, at most 2 in a day." in page
    assert "<td>2</td>" in page


def test_an_empty_room_has_an_empty_chart(staff: Client, lobby: Room) -> None:
    page = staff.get(page_of(lobby)).text
    assert page.count('height="0"') == 30
    assert "0 in 30 days" in page


# As a moderator.


def test_a_moderator_lifts_but_not_her_own(mod_staff: Client, mod: User, lobby: Room, alice: User) -> None:
    own, other = [lobby.sanction(Sanction.Kind.MUTE, Identity.of_user(user), None) for user in (mod, alice)]
    chosen = {"action": "delete_selected", "post": "yes", "_selected_action": [own.pk]}
    for url, sent in (
        (reverse("admin:chat_sanction_delete", args=[own.pk]), {"post": "yes"}),
        (reverse(LIST), chosen),
    ):
        mod_staff.post(url, sent)
        assert Sanction.objects.filter(pk=own.pk).exists()
    mod_staff.post(reverse("admin:chat_sanction_delete", args=[other.pk]), {"post": "yes"})
    assert not Sanction.objects.filter(pk=other.pk).exists()


def test_staff_mute_no_staff(helper: Callable[..., Client], lobby: Room, bob: User) -> None:
    browser = helper("view_room", "change_room", "moderate_room")
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    assert "only superusers moderate them" in browser.post(page_of(lobby), form(lobby, mute(bob))).text
    assert not Sanction.objects.exists()
