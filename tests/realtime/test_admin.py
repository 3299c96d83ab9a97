"""What the admin pages of streams and their entries share, shown by those of chat."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from chat.models import Message, Room
from realtime.access import Identity
from realtime.access_form import LEVELS
from realtime.admin import LISTS, access_fields
from realtime.models import Connection

OPS = Identity("user:99", "ops")


@pytest.fixture
def staff(client: Client, root: User) -> Client:
    """Root's browser."""
    client.force_login(root)
    return client


def address(model: type[Room | Message], view: str, *args: object) -> str:
    return reverse(f"admin:chat_{model._meta.model_name}_{view}", args=args)


def test_open_sockets_have_a_page() -> None:
    assert admin.site.is_registered(Connection)


def test_the_form_says_in_words_who_may_what() -> None:
    title, options = access_fields("room", "To read is to listen.")
    assert title == "Who may do what"
    assert options["fields"] == ("private", *LEVELS, *LISTS)
    assert "in a private room they alone" in options["description"]
    assert "  " not in access_fields("room")[1]["description"]


def test_a_stream_is_named_once(staff: Client, lobby: Room) -> None:
    assert 'name="name"' in staff.get(address(Room, "add")).text
    assert 'name="name"' not in staff.get(address(Room, "change", lobby.pk)).text


def test_the_list_leads_to_the_page_where_a_stream_is_used(staff: Client, lobby: Room) -> None:
    assert '<a href="/chat/lobby/">Open page</a>' in staff.get(address(Room, "changelist")).text


def test_an_entry_stays_as_it_was_said(staff: Client, lobby: Room) -> None:
    said = lobby.post(OPS, "hi")
    assert staff.post(address(Message, "change", said.pk), {"text": "bye"}).status_code == 403
    said.refresh_from_db()
    assert said.text == "hi"


def test_deleting_an_entry_takes_its_text_and_is_noted(staff: Client, lobby: Room) -> None:
    said = lobby.post(OPS, "hi")
    staff.post(address(Message, "delete", said.pk), {"post": "yes"})
    said.refresh_from_db()
    assert (said.deleted, said.text) == (True, "")
    assert LogEntry.objects.filter(object_id=said.pk).exists()


def test_what_is_deleted_is_not_offered_for_deletion_again(staff: Client, lobby: Room) -> None:
    said = lobby.post(OPS, "hi")
    page = address(Message, "change", said.pk)
    assert staff.get(page).context["show_delete"]
    lobby.delete_message(OPS, said.seq)
    assert not staff.get(page).context["show_delete"]


def test_an_entry_that_tells_of_a_deletion_is_not_listed(staff: Client, lobby: Room) -> None:
    said = lobby.post(OPS, "hi")
    lobby.delete_message(OPS, said.seq)
    assert [*staff.get(address(Message, "changelist")).context["cl"].queryset] == [said]


def test_a_stream_that_is_gone_leads_back_to_the_list(staff: Client) -> None:
    assert staff.get(address(Room, "reset", 4711)).headers["location"] == address(Room, "changelist")
