"""Rooms and messages in admin: how long they are kept, and how a room's history is reset."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from chat.models import Message, Room, Sanction
from realtime import db
from realtime.access import Identity
from realtime.testing import connect

pytestmark = pytest.mark.django_db
LIST = "admin:chat_message_changelist"
ROOMS = "admin:chat_room_changelist"
ALICE = Identity("user:1", "alice")


@pytest.fixture
def hall(lobby: Room) -> Room:
    """A room with three messages."""
    for text in ("one", "two", "three"):
        lobby.post(ALICE, text, text)
    return lobby


def reset_url(room: Room) -> str:
    return reverse("admin:chat_room_reset", args=[room.pk])


def change_url(room: Room) -> str:
    return reverse("admin:chat_room_change", args=[room.pk])


def texts() -> list[str]:
    return list(Message.objects.order_by("seq").values_list("text", flat=True))


NO_SANCTIONS = {"sanctions-TOTAL_FORMS": "0", "sanctions-INITIAL_FORMS": "0"}


# How long they are kept.


def test_days_number_and_bytes_are_on_the_room_s_form(staff: Client, hall: Room) -> None:
    sent = {"title": "", "description": "", "guest_access": "read", "member_access": "write", **NO_SANCTIONS}
    answer = staff.post(change_url(hall), {**sent, "keep_days": "0", "keep_entries": "2", "keep_bytes": "5000"})
    assert answer.status_code == 302
    room = Room.objects.get()
    assert (room.keep_days, room.keep_entries, room.keep_bytes, room.last_seq) == (0, 2, 5000, 3)
    staff.post(change_url(hall), {**sent, "keep_days": "0", "keep_entries": "2", "keep_bytes": ""})
    assert Room.objects.get().keep_bytes == 100_000_000


@pytest.mark.parametrize(
    "wrong", [{"keep_days": "-1"}, {"keep_entries": "-1"}, {"keep_days": ""}, {"keep_bytes": "-1"}]
)
def test_what_is_no_number_is_told_in_the_form(wrong: dict[str, str], staff: Client, hall: Room) -> None:
    sent = {"guest_access": "read", "member_access": "write", "keep_days": "1", "keep_entries": "1", **wrong}
    answer = staff.post(change_url(hall), sent)
    assert answer.context["adminform"].form.errors.keys() == wrong.keys()


def test_what_was_pruned_is_listed_and_counted_no_more(staff: Client, hall: Room) -> None:
    Room.objects.update(first_seq=3)
    page = staff.get(reverse(LIST)).text
    assert "three" in page
    assert "two" not in page
    pruned = Message.objects.get(seq=1)
    assert staff.get(reverse("admin:chat_message_change", args=[pruned.pk])).status_code == 302
    assert 'class="field-message_count">1<' in staff.get(reverse(ROOMS)).text


# Resetting.


def test_the_way_to_reset_is_on_the_room_s_page(staff: Client, hall: Room) -> None:
    page = staff.get(change_url(hall)).text
    assert f'<a href="{reset_url(hall)}" class="deletelink">Delete all messages…</a>' in page
    assert page.index(">Delete</a>") < page.index(">Delete all messages…</a>")


def test_before_anything_goes_one_is_asked(staff: Client, hall: Room) -> None:
    before = Room.objects.get().epoch
    page = staff.get(reset_url(hall)).text
    assert "Delete all messages?" in page
    assert change_url(hall) in page
    assert texts() == ["one", "two", "three"]
    assert Room.objects.get().epoch == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("method", ["head", "put", "options"])
def test_nothing_but_the_answer_resets(method: str, staff: Client, hall: Room) -> None:
    getattr(staff, method)(reset_url(hall))
    assert texts() == ["one", "two", "three"]


def test_the_answer_resets_and_is_noted(staff: Client, hall: Room, root: User) -> None:
    answer = staff.post(reset_url(hall), follow=True)
    assert answer.redirect_chain == [(change_url(hall), 302)]
    assert "All messages in lobby are deleted." in answer.text
    assert texts() == ["", "", ""]
    room = Room.objects.get()
    assert (room.first_seq, room.last_seq) == (4, 3)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.get_change_message()) == (root, str(hall.pk), "Deleted all messages")


@pytest.mark.parametrize("allowed", [(), ("change_room",), ("delete_room",)])
def test_who_may_not_both_change_and_delete_the_room_does_not(
    allowed: tuple[str, ...], helper: Callable[..., Client], hall: Room
) -> None:
    editor = helper("view_room", *allowed)
    assert reset_url(hall) not in editor.get(change_url(hall)).text
    assert [editor.get(reset_url(hall)).status_code, editor.post(reset_url(hall)).status_code] == [403, 403]
    assert texts() == ["one", "two", "three"]


def test_who_may_change_and_delete_the_room_resets_it(helper: Callable[..., Client], hall: Room) -> None:
    editor = helper("view_room", "change_room", "delete_room")
    assert reset_url(hall) in editor.get(change_url(hall)).text
    editor.post(reset_url(hall))
    assert texts() == ["", "", ""]


def test_who_is_not_logged_in_is_asked_to(client: Client, hall: Room) -> None:
    for answer in (client.get(reset_url(hall)), client.post(reset_url(hall))):
        assert answer.headers["location"].startswith(reverse("admin:login"))
    assert texts() == ["one", "two", "three"]


def test_a_form_of_another_site_resets_nothing(root: User, hall: Room) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(root)
    assert browser.post(reset_url(hall)).status_code == 403
    assert texts() == ["one", "two", "three"]


def test_a_room_that_is_not_there_cannot_be_reset(staff: Client) -> None:
    url = reverse("admin:chat_room_reset", args=[99])
    assert [staff.get(url).status_code, staff.post(url).status_code] == [302, 302]


@pytest.mark.django_db(transaction=True)
async def test_open_pages_are_emptied(hall: Room, staff: Client) -> None:
    async with connect("/ws/chat/lobby/") as socket:
        assert len((await socket.next("joined"))["messages"]) == 3
        await db.run(staff.post, reset_url(hall))
        joined = await socket.next("joined")
    assert (joined["recovered"], joined["messages"], joined["seq"]) == (False, [], 3)


# As a moderator.


@pytest.fixture
def closed(vault: Room) -> Message:
    """Something said where the moderator may not read."""
    return vault.post(ALICE, "classified")


def pages_of(*rows: Room | Message | Sanction) -> list[str]:
    return [reverse(f"admin:chat_{row._meta.model_name}_change", args=[row.pk]) for row in rows]


def test_a_moderator_who_is_staff_sees_rooms_and_changes_none(mod_staff: Client, hall: Room) -> None:
    assert hall.name in mod_staff.get(reverse(ROOMS)).text
    page = mod_staff.get(change_url(hall)).text
    assert 'name="_save"' not in page
    assert reset_url(hall) not in page
    assert mod_staff.post(change_url(hall), {"title": "Mine", **NO_SANCTIONS}).status_code == 403
    assert mod_staff.get(reverse("admin:chat_room_add")).status_code == 403


def test_a_moderator_deletes_messages_by_the_verb(mod_staff: Client, hall: Room) -> None:
    said = Message.objects.get(seq=2)
    assert said.text in mod_staff.get(reverse(LIST)).text
    mod_staff.post(reverse(LIST), {"action": "delete_selected", "post": "yes", "_selected_action": [said.pk]})
    assert texts()[1] == ""
    assert Message.objects.get(target=2).sender_name == "mod"


def test_what_a_moderator_may_not_read_is_not_there(mod_staff: Client, hall: Room, closed: Message) -> None:
    Room.objects.create(name="other")  # the filter by room is there from two on
    hidden = closed.stream.sanction(Sanction.Kind.MUTE, ALICE, None, reason="classified")
    for name in (ROOMS, LIST, "admin:chat_sanction_changelist"):
        page = mod_staff.get(reverse(name)).text
        assert "vault" not in page
        assert "classified" not in page
    for url in pages_of(closed.stream, closed, hidden):
        assert mod_staff.get(url).status_code == 302
    mod_staff.post(reverse(LIST), {"action": "delete_selected", "post": "yes", "_selected_action": [closed.pk]})
    assert Message.objects.get(pk=closed.pk).text == "classified"


def test_a_moderator_who_is_let_into_a_private_room_sees_it(mod_staff: Client, mod: User, closed: Message) -> None:
    closed.stream.readers.add(mod)
    assert "classified" in mod_staff.get(reverse(LIST)).text


def test_who_may_change_rooms_sees_all_of_them(helper: Callable[..., Client], closed: Message) -> None:
    assert "vault" in helper("view_room", "change_room").get(reverse(ROOMS)).text
    assert "vault" not in helper("view_room").get(reverse(ROOMS)).text


def test_staff_without_permission_get_nothing(helper: Callable[..., Client], hall: Room) -> None:
    browser = helper()
    for name in (ROOMS, LIST, "admin:chat_sanction_changelist"):
        assert browser.get(reverse(name)).status_code == 403
