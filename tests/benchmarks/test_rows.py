"""Rows say what they measure, and compare what they have measured."""

import pytest

from benchmarks.others import OTHERS
from benchmarks.rows import NAMES, row

SERVERS = {
    *("", "Chorus", "Chorus, SQLite", "Chorus, PostgreSQL", "websockets", "One by one", "One worker", "Two workers"),
    *("Starlette", "Channels, Uvicorn", "Channels, Daphne", *(other.name for other in OTHERS)),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_row_has_a_title_a_unit_and_a_text(name: str) -> None:
    module = row(name)
    assert module.TITLE
    assert module.UNIT
    assert (module.__doc__ or "").partition("\n")[0].endswith((".", ":"))


@pytest.mark.parametrize("name", NAMES)
def test_goals_name_servers_that_there_are(name: str) -> None:
    assert {server for goal in row(name).GOALS for server in (goal.server, goal.peer)} <= SERVERS


def test_there_is_no_other_row() -> None:
    with pytest.raises(KeyError):
        row("nonsense")


def test_small_rooms_and_the_large_one_have_the_same_deliveries() -> None:
    from benchmarks.rows import rooms

    assert all(rooms.ROOMS * rooms.PEOPLE * rate == rooms.LARGE * rooms.rate_of_one(rate) for rate in rooms.RATES)
