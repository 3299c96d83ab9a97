"""Counters over HTTP."""

import pytest

from counter.models import Change, Counter
from realtime.access import AccessLevel
from realtime.testing import connect
from tests.ask import ask

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def likes(db: None) -> Counter:
    """A counter that everybody may change."""
    return Counter.objects.create(name="likes", guest_access=AccessLevel.WRITE)


async def test_counters_that_may_not_be_read_are_not_listed(likes: Counter) -> None:
    await Counter.objects.acreate(name="secret", guest_access=AccessLevel.NONE)
    answer = await ask("GET", "/api/counter/")
    assert answer.json == {"counters": [{"name": "likes", "title": "likes", "value": 0, "version": 0}]}


async def test_adding_shows_on_a_socket(likes: Counter) -> None:
    async with connect("/ws/counter/likes/") as socket:
        await socket.next("state")
        answer = await ask("POST", "/api/counter/likes/add/", json={"delta": 5})
        assert answer.json == {"type": "state", "value": 5, "version": 1}
        assert await socket.next("state") == answer.json


async def test_where_it_stands(likes: Counter) -> None:
    await ask("POST", "/api/counter/likes/add/", json={"delta": -2})
    assert (await ask("GET", "/api/counter/likes/")).json == {"type": "state", "value": -2, "version": 1}


async def test_the_same_key_adds_once(likes: Counter) -> None:
    first, again = [
        await ask("POST", "/api/counter/likes/add", json={"delta": 1}, headers={"Idempotency-Key": "a"})
        for _ in range(2)
    ]
    assert first.json == {"type": "ack", "id": "a", "value": 1, "version": 1}
    assert again.json == {**first.json, "duplicate": True}


async def test_a_change_without_a_key_leaves_no_row(likes: Counter) -> None:
    await ask("POST", "/api/counter/likes/add/", json={"delta": 1})
    assert not await Change.objects.aexists()


@pytest.mark.parametrize("delta", [0, 1_000_001, "5", 1.5, None])
async def test_a_wrong_delta_is_named(likes: Counter, delta: object) -> None:
    answer = await ask("POST", "/api/counter/likes/add/", json={"delta": delta})
    assert answer.error == (400, "invalid")
    assert "delta" in answer.json["fields"]


@pytest.mark.parametrize("delta", ["5.0", "5e0"])
async def test_a_number_without_a_fraction_is_whole(likes: Counter, delta: str) -> None:
    answer = await ask("POST", "/api/counter/likes/add/", body=f'{{"delta": {delta}}}')
    assert answer.json["value"] == 5


@pytest.mark.parametrize("delta", ["5.5", "1e300", "1e400", "1000001.0", "0.0"])
async def test_others_are_invalid(likes: Counter, delta: str) -> None:
    answer = await ask("POST", "/api/counter/likes/add/", body=f'{{"delta": {delta}}}')
    assert answer.status == 400
