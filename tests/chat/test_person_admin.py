"""Admin's form that mutes or bans somebody who is connected."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from chat.models import Room, Sanction
from realtime import db
from realtime.access import Identity
from realtime.connections.control import who
from realtime.testing import connect

pytestmark = pytest.mark.django_db
LIST = "admin:chat_sanction_changelist"
Helper = Callable[..., Client]


def sanction_url(room: Room, **whom: Any) -> str:
    return reverse("admin:chat_room_sanction", args=[room.pk], query=whom)


def send(browser: Client, url: str, **fields: str) -> Any:
    """Open the form and send it."""
    whom = browser.get(url).context["form"].initial["whom"]
    sent = {"whom": whom, "kind": "ban", "how_long": "3600", "reason": "", **fields}
    return browser.post(url, sent, follow=True)


def test_a_user_is_banned_by_the_form(staff: Client, lobby: Room, alice: User) -> None:
    answer = send(staff, sanction_url(lobby, user=alice.pk))
    assert "Alice may not enter in lobby." in answer.text
    assert Sanction.objects.get().identity_key == Identity.of_user(alice).key
    entry = LogEntry.objects.get()
    assert (entry.get_edited_object(), entry.change_message) == (lobby, "Imposed: alice may not enter in lobby")


@pytest.mark.django_db(transaction=True)
async def test_a_guest_who_is_connected_is_banned_and_out_at_once(staff: Client, lobby: Room) -> None:
    async with connect("/ws/chat/lobby/") as guest:
        await guest.next("joined")
        [row] = (await db.run(who)).rows
        await db.run(lambda: send(staff, sanction_url(lobby, connection=row["id"])))
        while (message := await guest.communicator.receive_output(5))["type"] != "websocket.close":
            pass
    sanction = await Sanction.objects.aget()
    assert sanction.identity_key == row["identity"]
    reason = f"You are banned from this room until {sanction.until:%Y-%m-%d %H:%M} UTC."
    assert (message["code"], message["reason"]) == (4506, reason)


def test_whom_it_is_for_cannot_be_made_up(staff: Client, lobby: Room, alice: User) -> None:
    url = sanction_url(lobby, user=alice.pk)
    answer = send(staff, url, whom='["user:1","bob"]:x:y')
    assert "Begin again" in answer.text
    assert not Sanction.objects.exists()


def test_moderating_is_a_permission_of_its_own(lobby: Room, helper: Helper, bob: User) -> None:
    url = sanction_url(lobby, user=bob.pk)
    browser = helper("change_room", "delete_room", "view_sanction", "delete_sanction")
    for answer in (browser.get(url), browser.post(url, {"whom": "x"}), browser.get(reverse(LIST))):
        assert answer.status_code == 403
    browser = helper("moderate_room")
    assert browser.get(url).status_code == 200
    assert browser.get(reverse(LIST)).status_code == 200
    assert not Sanction.objects.exists()


def test_who_is_not_there_cannot_be_banned(staff: Client, lobby: Room, root: User) -> None:
    for whom in ({}, {"user": "99"}, {"user": "x"}, {"connection": "gone"}):
        answer = staff.get(sanction_url(lobby, **whom), follow=True)
        assert "They are not there any more." in answer.text
    assert "Superusers may do everything" in staff.get(sanction_url(lobby, user=root.pk), follow=True).text
    assert staff.get(reverse("admin:chat_room_sanction", args=[99], query={"user": "1"})).status_code == 302


def test_a_moderator_acts_where_she_may_read_and_never_on_staff_or_herself(
    mod_staff: Client, mod: User, lobby: Room, vault: Room, alice: User, bob: User
) -> None:
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    for room, user, said in (
        (vault, alice, "They are not there any more."),
        (lobby, bob, "is staff: only superusers moderate them."),
        (lobby, mod, "Nobody moderates themselves."),
    ):
        assert said in mod_staff.get(sanction_url(room, user=user.pk), follow=True).text
    send(mod_staff, sanction_url(lobby, user=alice.pk))
    assert Sanction.objects.get().by == mod
