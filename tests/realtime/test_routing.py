"""The routes of all apps, and what the pages say of them."""

import json
import re

import pytest

import chat.routing
import counter.routing
import notifications.routing
from realtime.routing import RouteInfo, installed_routes, registered

APPS = (chat, counter, notifications)
ROUTES = tuple(route for app in APPS for route in app.routing.ROUTES)
PATTERNS = [pattern for app in APPS for pattern in app.routing.websocket_urlpatterns]


def test_every_installed_app_s_routes_are_served() -> None:
    assert sorted(installed_routes(), key=str) == sorted(PATTERNS, key=str)


def test_the_routes_of_every_installed_app_are_known() -> None:
    assert sorted(registered(), key=str) == sorted(ROUTES, key=str)


def test_routes_of_an_app_stand_together_and_no_path_comes_twice() -> None:
    paths = [route.path for route in registered()]
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_what_is_told_of_a_route_is_there(route: RouteInfo) -> None:
    assert re.fullmatch(r"/ws/[a-z/-]+/", route.path)
    assert any(pattern.resolve(route.path.removeprefix("/")) for pattern in PATTERNS)
    assert route.title
    assert route.summary.endswith(".")


@pytest.mark.parametrize(
    "example", [example for route in ROUTES for example in route.examples if example.startswith("{")]
)
def test_an_example_that_looks_like_json_is_json(example: str) -> None:
    assert isinstance(json.loads(example), dict)
