"""`make chaos` prints what happened, and its exit code says whether a promise was broken."""

import pytest

from tests.servers.chaos import __main__ as chaos
from tests.servers.chaos.ledger import Tally
from tests.servers.chaos.rows import Row, found


async def kept(long: bool) -> Tally:
    return Tally(sent=12, acknowledged=10 if long else 5, recovered_in=0.25)


async def lost(long: bool) -> Tally:
    return Tally(sent=12, acknowledged=10, lost=3)


async def failed(long: bool) -> Tally:
    raise ExceptionGroup("of a task group", [ValueError("first line\nsecond line")])


async def missing(long: bool) -> Tally:
    pytest.skip("PostgreSQL is missing")


async def required(long: bool) -> Tally:
    pytest.fail("PostgreSQL is missing")


def test_every_row_is_found_by_its_module_and_by_its_words() -> None:
    for module, row in found():
        assert chaos.chosen(module, row, [module])
        assert chaos.chosen(module, row, ["nothing of that kind", row.fault[3:10].upper()])
        assert not chaos.chosen(module, row, ["nothing of that kind"])


def test_no_such_row_is_an_error_that_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        chaos.main(["nothing of that kind"])
    assert "redis_killed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("run", "said", "holds"),
    [
        (kept, "kept", True),
        (lost, "3 lost", False),
        (failed, "broken off: ValueError: first line", False),
        (missing, "skipped: PostgreSQL is missing", True),
        (required, "not run: PostgreSQL is missing", False),
    ],
)
def test_a_row_says_what_became_of_its_promise(run: object, said: str, holds: bool) -> None:
    cells, well = chaos.tried(Row("fault", "promise", run), long=True)  # type: ignore[arg-type]
    assert (cells[-1], well) == (said, holds)


def test_the_table_has_its_columns_under_one_another() -> None:
    cells, _ = chaos.tried(Row("a fault with long name", "promise", kept), long=True)
    assert chaos.table([("fault", *chaos.HEAD[1:]), cells]) == [
        "| fault                  | sent | acknowledged | lost | doubled | reordered | seconds to recover | verdict |",
        "| ---------------------- | ---: | -----------: | ---: | ------: | --------: | -----------------: | ------- |",
        "| a fault with long name |   12 |           10 |    0 |       0 |         0 |                0.2 | kept    |",
    ]
