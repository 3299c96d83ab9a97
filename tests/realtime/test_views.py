"""The home page, the console, and what the pages of the apps ask."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from chat.models import Room
from realtime import views
from realtime.access import AccessLevel, Identity
from realtime.views import list_page, stream_page


def request_of(user: User | None = None, **options: bool) -> HttpRequest:
    """A visit of a guest, or of a user."""
    request = RequestFactory().get("/", **options)  # type: ignore[arg-type]  # `secure` is one
    request.user = user or AnonymousUser()
    request.guest_key = "0123"  # type: ignore[attr-defined]  # the guest cookie's middleware sets it
    return request


def test_a_visitor_is_who_they_are_on_a_socket(alice: User) -> None:
    assert views.visitor_of(request_of(alice)) == Identity.of_user(alice)
    assert views.visitor_of(request_of()) == Identity.of_guest("0123")


@pytest.mark.parametrize(("secure", "origin"), [(False, "ws://testserver"), (True, "wss://testserver")])
def test_sockets_are_as_secure_as_the_page(secure: bool, origin: str) -> None:
    assert views.socket_origin(request_of(secure=secure)) == origin


def test_a_first_visit_makes_a_stream_where_it_may(settings: Settings, alice: User, root: User) -> None:
    assert [views.may_make_here(request_of(user), Room) for user in (None, alice, root)] == [False, False, True]
    settings.DEBUG = True
    assert views.may_make_here(request_of(), Room)


def test_a_stream_is_found_by_who_may_read_it(lobby: Room, alice: User) -> None:
    assert views.readable_or_404(request_of(), Room, "lobby") == lobby
    Room.objects.update(guest_access=AccessLevel.NONE)
    with pytest.raises(Http404):
        views.readable_or_404(request_of(), Room, "lobby")
    assert views.readable_or_404(request_of(alice), Room, "lobby") == lobby


def test_what_nobody_made_is_not_found_in_production_by_staff_neither(root: User) -> None:
    with pytest.raises(Http404):
        views.readable_or_404(request_of(root), Room, "new")


def test_what_nobody_made_is_there_for_all_in_development(settings: Settings) -> None:
    settings.DEBUG = True
    assert views.readable_or_404(request_of(), Room, "new").pk is None


def test_what_is_no_name_is_not_found_by_anybody(root: User) -> None:
    with pytest.raises(Http404):
        views.readable_or_404(request_of(root), Room, "a b")


def test_the_home_page_names_every_route_where_the_visitor_reached_it(client: Client, db: None) -> None:
    page = client.get("/", secure=True)
    assert "wss://testserver/ws/echo/" in page.text
    assert "wss://testserver/ws/notifications/" in page.text


def test_numbers_count_what_guests_may_read(lobby: Room) -> None:
    lobby.post(Identity.of_guest(), "hi")
    Room.objects.create(name="hidden", guest_access=AccessLevel.NONE).post(Identity.of_guest(), "hi")
    assert views.numbers().items() >= {"rooms": 1, "messages": 1, "connections": 0}.items()


def test_a_number_of_messages_counts_messages(client: Client, lobby: Room) -> None:
    guest = Identity.of_guest("0123")
    posted = [lobby.post(guest, text) for text in ("one", "two", "three")]
    lobby.delete_message(guest, posted[0].seq)
    assert views.numbers()["messages"] == 2
    assert "2 messages" in client.get("/chat/").text
    lobby.delete_message(guest, posted[1].seq)
    assert "1 message<" in client.get("/chat/").text


def test_numbers_have_their_nouns(client: Client, lobby: Room) -> None:
    Room.objects.exclude(pk=lobby.pk).delete()
    labels = {label["name"]: label for label in client.get("/").context["numbers"]}
    assert labels["rooms"] == {"name": "rooms", "value": 1, "one": "room", "many": "rooms"}
    assert re.search(r">1</dd><dt[^>]*><span[^>]*>room</span>", client.get("/").text)


def test_a_shared_link_fills_in_the_console(client: Client) -> None:
    filled = client.get("/console/", {"route": "/ws/time/", "send": "x" * 10_001}).context
    assert (filled["route"], len(filled["send"])) == ("/ws/time/", views.MAX_SHARED)
    empty = client.get("/console/").context
    assert (empty["route"], empty["send"]) == (empty["routes"][0].path, "")


def test_a_page_is_only_looked_at(client: Client) -> None:
    assert [client.post(path).status_code for path in ("/", "/console/", "/favicon.ico")] == [405] * 3


def test_whoever_asks_for_an_icon_gets_ours(client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert answer.status_code == 301
    assert answer.headers["location"].endswith("realtime/icon.svg")


def test_the_version_is_that_of_the_project() -> None:
    assert views.version() == "0.1.0"


def test_in_development_the_terminal_s_command_is_the_installed_one(settings: Settings) -> None:
    assert views.terminal() == "websockets"
    settings.DEBUG = True
    assert views.terminal() == ".venv/bin/websockets"


# Pages of streams. Rooms and counters stand for them.


def page(name: str, user: User, **query: str) -> HttpResponse:
    request = RequestFactory().get("/anything/", query)
    request.user = user
    return stream_page(request, Room, name, "realtime/stream.html", route="/ws/chat/{}/")


def listed(user: User, **query: str) -> HttpResponse:
    request = RequestFactory().get("/anything/", query)
    request.user = user
    return list_page(request, Room)


@pytest.mark.django_db
def test_a_page_needs_no_template_of_its_own_but_for_what_is_its_own(lobby: Room, alice: User) -> None:
    text = page("lobby", alice).content.decode()
    assert '<h1 dir="auto">lobby</h1>' in text
    assert "ws://testserver/ws/chat/lobby/" in text


@pytest.mark.django_db
def test_a_name_in_capitals_leads_to_the_page(alice: User) -> None:
    answer = page("LoBBy", alice)
    assert (answer.status_code, answer["Location"]) == (302, "/chat/lobby/")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["not a name", "{}"])
def test_what_is_no_name_has_no_page(name: str, alice: User) -> None:
    with pytest.raises(Http404):
        page(name, alice)


@pytest.mark.django_db
def test_what_is_not_there_looks_like_what_one_may_not_read(lobby: Room, alice: User) -> None:
    Room.objects.update(member_access=AccessLevel.NONE)
    hidden, missing = page("lobby", alice), page("nowhere", alice)
    assert [hidden.status_code, missing.status_code] == [404, 404]
    shown = [re.sub('value="[^"]*"', "", answer.content.decode()) for answer in (hidden, missing)]  # the CSRF token
    assert shown[0].replace("lobby", "nowhere") == shown[1]
    assert "Staff with the permission to add rooms can make it" in missing.content.decode()


def test_who_may_make_it_is_offered_to_and_a_page_makes_nothing(helper: Callable[..., Client]) -> None:
    answer = helper("add_room").get("/chat/new/")
    assert answer.status_code == 404
    assert 'href="/admin/chat/room/add/?name=new"' in answer.text
    assert "/admin/" not in helper("add_counter").get("/chat/new/").text.partition("<main")[2]
    assert "/accounts/login/?next=/chat/new/" in Client().get("/chat/new/").text.partition("<main")[2]
    assert not Room.objects.exists()


def test_where_there_is_no_admin_nothing_is_offered(settings: Settings) -> None:
    settings.ROOT_URLCONF = "realtime.urls"
    assert views.make_url(Room, "new") == ""


@pytest.mark.django_db
def test_streams_are_listed_for_who_may_read_them(lobby: Room, alice: User) -> None:
    Room.objects.create(name="secret", title="A secret", member_access=AccessLevel.NONE)
    text = listed(alice).content.decode()
    assert 'href="/chat/lobby/"' in text
    assert "A secret" not in text
    Room.objects.all().delete()
    assert "No rooms yet" in listed(alice).content.decode()


@pytest.mark.django_db
def test_the_form_of_a_list_leads_to_a_page_or_says_what_is_wrong(alice: User) -> None:
    assert listed(alice, name="Summer Party")["Location"] == "/chat/summer-party/"
    assert 'id="name-error"' in listed(alice, name="ä").content.decode()


@pytest.mark.django_db
def test_pages_are_read_only(client: Client, lobby: Room) -> None:
    for path in ("/chat/", "/chat/lobby/", "/counter/"):
        assert client.post(path).status_code == 405
