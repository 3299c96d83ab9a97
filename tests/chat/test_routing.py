"""Where the routes are."""

import pytest
from django.test import Client
from pytest_django import Settings

from realtime.routing import registered
from realtime.testing import HandshakeRefused, connect


@pytest.mark.parametrize("route", ["echo", "greet", "time", "broadcast", "relay", "secure-echo"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_plain_routes_work_with_and_without_the_final_slash(route: str, slash: str) -> None:
    async with connect(f"/ws/{route}{slash}"):
        pass


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/ws/chat/lobby/", "/ws/chat/lobby", "/ws/chat/Lobby/", "/ws/chat/%4Cobby"])
async def test_a_room_is_one_room_however_its_address_is_written(path: str, development: None) -> None:
    async with connect(path) as socket:
        assert (await socket.next("joined"))["room"] == "lobby"


@pytest.mark.parametrize("name", ["a%20b", ".hidden", "%C3%BC", "x" * 65, "%00", "a%0A", "%F0%9F%8E%89"])
async def test_what_is_no_name_is_told_and_closed(name: str, development: None) -> None:
    async with connect(f"/ws/chat/{name}/") as socket:
        error = await socket.error()
        assert error["code"] == "invalid"
        assert error["message"].startswith("Bad room name")
        assert (await socket.closed())[0] == 4500


@pytest.mark.parametrize(
    "path", ["/ws/chat/", "/ws/chat", "/ws/chat//", "/ws/chat/a/b/", "/ws/chat/a%2Fb/", "/chat/lobby/"]
)
async def test_what_is_no_room_is_404(path: str) -> None:
    with pytest.raises(HandshakeRefused) as refused:
        async with connect(path):
            pass
    assert refused.value.status == 404


def told() -> dict[str, str]:
    return {route.path: route.summary for route in registered()}


def test_the_pages_say_nothing_of_routes_that_are_switched_off(settings: Settings, client: Client, db: None) -> None:
    settings.CHORUS_PLAIN_ROUTES = "off"
    assert not told().keys() & {"/ws/broadcast/", "/ws/relay/"}
    for page in ("/", "/console/"):
        shown = client.get(page, secure=True).content.decode()
        assert "/ws/echo/" in shown
        assert "/ws/broadcast/" not in shown


def test_the_pages_say_which_routes_want_a_login(settings: Settings) -> None:
    settings.CHORUS_PLAIN_ROUTES = "members"
    assert told()["/ws/relay/"] == "Every text goes to everyone here but you. Log in first."
    assert told()["/ws/echo/"] == "Every frame comes back as it was."
