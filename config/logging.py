"""What the log looks like: short lines for a person in development, a JSON object per line in production."""

import json
import logging
import textwrap
import threading
import time
from datetime import UTC, datetime
from typing import Any

PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
"""What every record has, and Uvicorn colours; whatever else one has was given as `extra`."""


def one_line(text: str) -> str:
    """Text with all that is not printable escaped, so that nobody's words make a line or move a cursor."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class LineFormatter(logging.Formatter):
    """`12:30:05 message`; from a warning on with its level. What follows an exception is indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        lines = super().formatException(ei).split("\n")
        return textwrap.indent("\n".join(one_line(line) for line in lines), "    ")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = one_line(record.message)
        if record.levelno >= logging.WARNING:
            return f"{record.asctime} {record.levelname} {record.name}: {record.message}"
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    """An object with time (ISO 8601, UTC), level, logger, message, the `extra` values and the exception."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {key: value for key, value in vars(record).items() if key not in PLAIN}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class RefusalFilter(logging.Filter):
    """Leaves out the tracebacks of what Django refuses: any client can cause them, and they tell nothing more."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if record.name.startswith("django.security"):
            record.exc_info = record.exc_text = None
        return True


class OutageFilter(logging.Filter):
    """Makes one line, at most every `seconds`, of the tracebacks that the channel layer logs while Redis is down.

    The next line after them says how many were left out. What is no lost connection stays as it is.
    """

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._quiet_until = 0.0
        self._left_out = 0
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is logged; one that is about an outage loses its traceback."""
        error = record.exc_info[1] if record.exc_info else None
        if not record.name.startswith("channels_redis") or not _is_outage(error):
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._quiet_until:
                self._left_out += 1
                return False
            left_out, self._left_out, self._quiet_until = self._left_out, 0, now + self._seconds
        more = f" ({left_out} more like it left out)" if left_out else ""
        record.msg, record.args = "no connection to the channel layer: %s: %s%s", (type(error).__name__, error, more)
        record.exc_info = record.exc_text = None
        return True


def _is_outage(error: BaseException | None) -> bool:
    if isinstance(error, OSError):
        return True
    from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 - a site without Redis does not load it

    return isinstance(error, (ConnectionError, TimeoutError))


def logging_config(*, debug: bool) -> dict[str, Any]:
    """Django's LOGGING: everything to stderr; Uvicorn speaks up only when something is wrong."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": "config.logging.LineFormatter"},
            "json": {"()": "config.logging.JsonFormatter"},
        },
        "filters": {
            "refusal": {"()": "config.logging.RefusalFilter"},
            "outage": {"()": "config.logging.OutageFilter"},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "line" if debug else "json",
                "filters": ["refusal", "outage"],
            }
        },
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "chorus": {"level": "INFO"},
            "django": {"handlers": [], "level": "INFO"},
            "django.request": {"level": "ERROR"},  # what is refused has a line of ours, with who and from where
        },
    }
