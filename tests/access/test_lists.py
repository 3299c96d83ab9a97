"""What anybody is shown of what there is: nothing that they may not read."""

import re

import pytest
from django.test import AsyncClient, Client

from realtime import db as socket_db
from tests.access.cast import Actor, Cast
from tests.access.table import BAD_TOKENS, OWN_TOPIC, RIGHTS, STREAMS, TOKENS

APPS = {"chat": "rooms", "counter": "counters", "notifications": "topics"}


def readable(who: str, app: str) -> set[str]:
    """The streams that the table lets them read."""
    return {stream for stream in STREAMS if RIGHTS[who].may(app, "read", stream)}


@pytest.mark.parametrize(("app", "name"), APPS.items())
async def test_a_list_over_http_has_what_its_reader_may_read(app: str, name: str, cast: Cast) -> None:
    for actor in cast:
        if actor.name in BAD_TOKENS:
            continue
        answer = await actor.using(AsyncClient()).get(f"/api/{app}/", headers=actor.headers)
        expected = readable(actor.name, app)
        if app == "counter" and RIGHTS[actor.name].may(app, "read", "s-open"):
            expected |= {"default"}
        if app == "notifications" and OWN_TOPIC[actor.name]:
            expected |= {"me"}
        assert {each["name"] for each in answer.json()[name]} == expected, actor.name


@pytest.mark.parametrize("app", APPS)
async def test_a_page_names_what_its_visitor_may_read(app: str, cast: Cast) -> None:
    for actor in cast:
        text = await socket_db.run(page, actor, f"/{app}/")
        known = "guest" if actor.name in BAD_TOKENS or actor.name in TOKENS else actor.name
        assert {name for name in STREAMS if name in text} == readable(known, app), actor.name


async def test_the_numbers_that_everybody_sees_count_what_everybody_may_read(cast: Cast) -> None:
    answer = await AsyncClient().get("/api/status")
    public = len(readable("guest", "chat"))
    assert answer.json() | {"rooms": public, "messages": public, "topics": public} == answer.json()
    assert answer.json()["counters"] == public + 1  # and the one called default


async def test_the_home_page_shows_the_same_numbers_to_all(cast: Cast) -> None:
    numbers = set()
    for actor in cast:
        text = await socket_db.run(page, actor, "/")
        numbers.add(tuple(re.findall(r"<dd[^>]*data-number[^>]*>\s*([^<\s]+)", text)))
    assert len(numbers) == 1


def page(actor: Actor, path: str) -> str:
    return actor.using(Client()).get(path, headers=actor.headers).content.decode()
