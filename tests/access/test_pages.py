"""Every page, opened by everybody; admin opens for staff alone."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLResolver, get_resolver

from config.api import api
from realtime import db as socket_db
from tests.access.cast import Actor, Cast
from tests.access.table import BAD_TOKENS, GUESTS, PAGES, RIGHTS, STREAMS, TOKENS, Need, Row


def routes(patterns: Iterable[Any], before: str = "") -> Iterator[str]:
    """Every route below these."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


ROUTES = list(routes(get_resolver().url_patterns))
ADMIN = [route for route in ROUTES if route.startswith("admin/")]
OPERATIONS = {path.strip("/").replace("{", "<").replace("}", ">") for path in api.get_openapi_schema()["paths"]}


def test_every_page_has_a_row() -> None:
    others = [route for route in ROUTES if route not in ADMIN and route.rstrip("/") not in OPERATIONS]
    twice = {route for route in others if route.endswith("/") and route.rstrip("/") in others}
    assert set(others) - twice == set(PAGES)


@pytest.mark.parametrize("route", PAGES)
async def test_everybody_may_what_the_table_says(route: str, cast: Cast) -> None:
    row, wrong = PAGES[route], []
    for actor in cast:
        for stream in row.streams if actor.cookie else STREAMS[:1]:
            answer = await socket_db.run(visit, actor, route, row, stream)
            found = outcome(answer)
            if not fits(found, actor.name, row, stream):
                wrong.append(f"{actor.name} in {stream}: {found}")
    assert not wrong


def fits(found: int | str, who: str, row: Row, stream: str) -> bool:
    """Tell whether an answer is what the table says."""
    known = "guest" if who in BAD_TOKENS or who in TOKENS else who  # only cookies count on pages
    if row.need is Need.USER and known in GUESTS:
        return found == "login"
    if row.need is Need.READ and not RIGHTS[known].may(row.app, "read", stream):
        return found == 404
    return found in row.answer if isinstance(row.answer, set) else found == row.answer


def visit(actor: Actor, route: str, row: Row, stream: str) -> HttpResponse:
    path = "/" + route.replace("<str:name>", stream) + "".join(f"?{name}={stream}" for name in row.form)
    return actor.using(Client()).get(path, headers=actor.headers)  # type: ignore[return-value]


def outcome(answer: HttpResponse) -> int | str:
    if answer.status_code == 302 and answer.headers["location"].startswith("/accounts/login/?next="):
        return "login"
    return answer.status_code


async def test_admin_asks_everybody_else_for_a_login(cast: Cast) -> None:
    def try_all(actor: Actor) -> list[str]:
        wrong = []
        client = actor.using(Client())
        for route in ADMIN:
            answer = client.get("/" + path_of(route), headers=actor.headers)
            login = answer.headers.get("location", "").startswith("/admin/login/?next=/admin/")
            if route not in OPEN and not login:
                wrong.append(f"{actor.name} at {route}: {answer.status_code}")
        return wrong

    others = [actor for actor in cast if actor.name not in {"staff", "superuser"}]
    assert not [each for actor in others for each in await socket_db.run(try_all, actor)]


OPEN = {"admin/login/", "admin/logout/"}


def path_of(route: str) -> str:
    """An address of that route."""
    route = route.replace("^(?P<app_label>auth|accounts|chat|counter|notifications)/$", "chat/")
    route = route.replace("(?P<url>.*)$", "anything/else")
    parts = [("1" if part.startswith("<") else part) for part in route.split("/")]
    return "/".join(parts)
