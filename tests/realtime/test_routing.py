"""What the pages say of the routes."""

import json
import re

import pytest

from chat.routing import ROUTES, websocket_urlpatterns
from realtime.routing import RouteInfo, registered


def test_the_routes_of_every_installed_app_are_known() -> None:
    assert registered() == ROUTES


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_what_is_told_of_a_route_is_there(route: RouteInfo) -> None:
    assert re.fullmatch(r"/ws/[a-z/-]+/", route.path)
    assert any(pattern.resolve(route.path.removeprefix("/")) for pattern in websocket_urlpatterns)
    assert route.title
    assert route.summary.endswith(".")


@pytest.mark.parametrize(
    "example", [example for route in ROUTES for example in route.examples if example.startswith("{")]
)
def test_an_example_that_looks_like_json_is_json(example: str) -> None:
    assert isinstance(json.loads(example), dict)
