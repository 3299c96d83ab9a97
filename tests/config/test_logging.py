"""The two looks of the log."""

import json
import logging
import sys

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from config.logging import JsonFormatter, LineFormatter, OutageFilter, RefusalFilter


def record(level: int, message: str, *args: object, **extra: object) -> logging.LogRecord:
    """A record as a logger makes it."""
    made = logging.getLogger("chorus.test").makeRecord("chorus.test", level, "f", 1, message, args, None, extra=extra)
    made.created = 0.25
    return made


def test_a_person_reads_the_time_and_the_message() -> None:
    line = LineFormatter().format(record(logging.INFO, "connect %s", "/ws/echo/"))
    assert line[8:] == " connect /ws/echo/"


def test_a_warning_says_that_it_is_one_and_whose() -> None:
    line = LineFormatter().format(record(logging.WARNING, "slow"))
    assert line[8:] == " WARNING chorus.test: slow"


def test_a_machine_reads_an_object_with_the_extra_values() -> None:
    entry = json.loads(JsonFormatter().format(record(logging.INFO, "close", route="/ws/echo/", code=1000)))
    assert entry == {
        "time": "1970-01-01T00:00:00.250+00:00",
        "level": "info",
        "logger": "chorus.test",
        "message": "close",
        "route": "/ws/echo/",
        "code": 1000,
    }


def test_an_exception_stays_on_the_line_of_its_record() -> None:
    made = record(logging.ERROR, "failed", what=object())
    try:
        int("no")
    except ValueError:
        made.exc_info = sys.exc_info()
    line = JsonFormatter().format(made)
    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("invalid literal for int() with base 10: 'no'")


HOSTILE = [
    "eve\n12:30:05 login user=root",
    "eve\r\x1b[2J\x1b[1A",
    "eve\u2028root",
    "eve\u202egnp",
    "eve\0",
    "\x85",
    "\x9b2J",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_nobody_s_name_makes_a_line_or_moves_a_cursor(name: str) -> None:
    line = LineFormatter().format(record(logging.WARNING, "login %s", name))
    assert line.isprintable()
    assert "eve" in line or "eve" not in name


@pytest.mark.parametrize("name", HOSTILE)
def test_nobody_s_name_breaks_the_json(name: str) -> None:
    line = JsonFormatter().format(record(logging.INFO, "login %s", name, who=name))
    assert line.isprintable()
    entry = json.loads(line)
    assert (entry["who"], entry["message"]) == (name, f"login {name}")


def test_what_an_exception_quotes_is_no_line_of_ours() -> None:
    made = failure(ValueError("x\n12:30:05 login \x1b[2J"))
    first, *rest = LineFormatter().format(made).split("\n")
    assert first.endswith("Unexpected exception in receive task")
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


def test_what_django_refuses_is_a_line_without_a_traceback() -> None:
    made = failure(ValueError("a host"))
    for name, kept in [("django.security.DisallowedHost", False), ("django.request", True)]:
        made.name, made.exc_info = name, (ValueError, ValueError("a host"), None)
        assert RefusalFilter().filter(made)
        assert bool(made.exc_info) == kept


# An outage of the channel layer's Redis.


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic time, to be set."""
    now = [1000.0]
    monkeypatch.setattr("config.logging.time.monotonic", lambda: now[0])
    return now


def failure(error: BaseException | None) -> logging.LogRecord:
    """What the layer logs."""
    made = record(logging.ERROR, "Unexpected exception in receive task")
    made.name = "channels_redis.pubsub"
    if error is not None:
        made.exc_info = (type(error), error, error.__traceback__)
    return made


OUTAGES = [RedisConnectionError("refused"), RedisTimeoutError("refused"), ConnectionResetError("refused")]


@pytest.mark.parametrize("error", OUTAGES, ids=lambda error: type(error).__name__)
def test_an_outage_is_a_line_without_a_traceback(error: Exception) -> None:
    made = failure(error)
    assert OutageFilter().filter(made)
    line = LineFormatter().format(made)
    assert (
        line[8:] == f" ERROR channels_redis.pubsub: no connection to the channel layer: {type(error).__name__}: refused"
    )


def test_an_outage_is_told_once_in_ten_seconds_and_then_how_often(clock: list[float]) -> None:
    told = OutageFilter()
    passed = []
    for second in range(25):
        clock[0] = 1000.0 + second
        made = failure(OUTAGES[0])
        if told.filter(made):
            passed.append((second, made.getMessage()))
    assert [second for second, _ in passed] == [0, 10, 20]
    assert "left out" not in passed[0][1]
    assert all(message.endswith("(9 more like it left out)") for _, message in passed[1:])


def test_what_is_no_outage_keeps_its_traceback(clock: list[float]) -> None:
    told = OutageFilter()
    for error in (ValueError("a defect"), None):
        for _ in range(3):
            made = failure(error)
            assert told.filter(made)
            assert made.getMessage() == "Unexpected exception in receive task"
            assert bool(made.exc_info) == (error is not None)


def test_an_outage_of_anything_else_keeps_its_traceback() -> None:
    made = failure(OUTAGES[0])
    made.name = "chorus.hub"
    assert OutageFilter().filter(made)
    assert made.exc_info
