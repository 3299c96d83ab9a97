"""What the pages of all streams share. Rooms and counters stand for them."""

import pytest
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory

from chat.models import Room
from realtime.access import AccessLevel
from realtime.views import list_page, stream_page

pytestmark = pytest.mark.django_db


def page(name: str, user: User, **query: str) -> HttpResponse:
    request = RequestFactory().get("/anything/", query)
    request.user = user
    return stream_page(request, Room, name, "realtime/stream.html", route="/ws/chat/{}/")


def listed(user: User, **query: str) -> HttpResponse:
    request = RequestFactory().get("/anything/", query)
    request.user = user
    return list_page(request, Room)


def test_a_page_needs_no_template_of_its_own_but_for_what_is_its_own(lobby: Room, alice: User) -> None:
    text = page("lobby", alice).content.decode()
    assert '<h1 dir="auto">lobby</h1>' in text
    assert "ws://testserver/ws/chat/lobby/" in text


def test_a_name_in_capitals_leads_to_the_page(alice: User) -> None:
    answer = page("LoBBy", alice)
    assert (answer.status_code, answer["Location"]) == (302, "/chat/lobby/")


@pytest.mark.parametrize("name", ["nowhere", "not a name", "{}"])
def test_what_is_not_there_has_no_page(name: str, alice: User) -> None:
    with pytest.raises(Http404):
        page(name, alice)


def test_who_may_not_read_has_no_page(lobby: Room, alice: User) -> None:
    Room.objects.update(member_access=AccessLevel.NONE)
    with pytest.raises(Http404):
        page("lobby", alice)


def test_streams_are_listed_for_who_may_read_them(lobby: Room, alice: User) -> None:
    Room.objects.create(name="secret", title="A secret", member_access=AccessLevel.NONE)
    text = listed(alice).content.decode()
    assert 'href="/chat/lobby/"' in text
    assert "A secret" not in text
    Room.objects.all().delete()
    assert "No rooms yet" in listed(alice).content.decode()


def test_the_form_of_a_list_leads_to_a_page_or_says_what_is_wrong(alice: User) -> None:
    assert listed(alice, name="Summer Party")["Location"] == "/chat/summer-party/"
    assert 'id="name-error"' in listed(alice, name="ä").content.decode()


def test_pages_are_read_only(client: Client, lobby: Room) -> None:
    for path in ("/chat/", "/chat/lobby/", "/counter/"):
        assert client.post(path).status_code == 405
