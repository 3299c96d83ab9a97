"""The list of rooms, and the page of a room."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from chat.models import Room, Sanction
from realtime.access import AccessLevel, Identity


@pytest.fixture
def board(db: None) -> Room:
    """A room that guests may read, and members may write in."""
    made: Room = Room.objects.create(name="board", title="Notice board", guest_access=AccessLevel.READ)
    return made


def test_only_readable_rooms_are_listed(client: Client, board: Room) -> None:
    Room.objects.create(name="staff", guest_access=AccessLevel.NONE)
    assert [*client.get("/chat/").context["streams"]] == [board]


def test_the_form_opens_a_room_by_its_name(client: Client, board: Room) -> None:
    assert client.get("/chat/", {"name": " Board "}).headers["location"] == "/chat/board/"
    assert client.get("/chat/", {"name": "?"}).context["form"].errors


def test_a_room_has_its_own_address(client: Client, board: Room) -> None:
    answer = client.get(board.get_absolute_url())
    assert answer.context["room"] == board
    assert "Notice board" in answer.text


def test_capitals_lead_to_lower_case(client: Client, board: Room) -> None:
    assert client.get("/chat/Board/").headers["location"] == "/chat/board/"


def test_who_may_only_read_is_not_asked_to_write(client: Client, board: Room, alice: User) -> None:
    assert not client.get("/chat/board/").context["may_write"]
    client.force_login(alice)
    assert client.get("/chat/board/").context["may_write"]


def test_only_who_moderates_is_offered_to(client: Client, board: Room, alice: User, root: User) -> None:
    for user, may in ((alice, False), (root, True)):
        client.force_login(user)
        assert client.get("/chat/board/").context["may_moderate"] is may


def test_who_is_muted_reads_why_and_keeps_the_composer_for_later(client: Client, board: Room, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/chat/board/").context["muted"] == ""
    board.sanction(Sanction.Kind.MUTE, Identity.of_user(alice), None, reason="Shouting")
    page = client.get("/chat/board/").text
    assert "You are muted in this room. Reason: Shouting" in page
    assert "data-composer" in page


def test_a_room_that_nobody_made_is_not_there_and_who_may_is_led_to_make_it(client: Client, root: User) -> None:
    assert client.get("/chat/new/").status_code == 404
    client.force_login(root)
    answer = client.get("/chat/new/")
    assert answer.status_code == 404
    assert "/admin/chat/room/add/?name=new" in answer.text
    assert not Room.objects.exists()


def test_a_room_one_may_not_read_is_not_found(client: Client, board: Room) -> None:
    Room.objects.update(guest_access=AccessLevel.NONE)
    assert client.get("/chat/board/").status_code == 404


def test_the_page_knows_how_long_a_message_may_be(client: Client, board: Room, settings: Settings) -> None:
    settings.CHORUS_MAX_TEXT = 123
    assert client.get("/chat/board/").context["max_text"] == 123


def test_only_a_moderator_s_page_has_what_a_card_does(client: Client, board: Room, mod: User, alice: User) -> None:
    for user, may in ((alice, False), (mod, True)):
        client.force_login(user)
        page = client.get("/chat/board/").text
        assert 'data-card aria-labelledby="card-name"' in page
        assert ("data-card-acts" in page, "/api/chat/board/people/" in page) == (may, may)


def test_only_who_may_notify_people_is_offered_to(client: Client, board: Room, alice: User) -> None:
    client.force_login(alice)
    assert "data-card-post" not in client.get("/chat/board/").text
    alice.user_permissions.add(Permission.objects.get(codename="publish_to_people"))
    assert 'data-card-post="/api/notifications/@id:"' in client.get("/chat/board/").text
