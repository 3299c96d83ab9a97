"""The two looks of the log."""

import json
import logging
import sys

from config.logging import JsonFormatter, LineFormatter


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
