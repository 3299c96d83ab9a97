"""What the log looks like: short lines for a person in development, a JSON object per line in production."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
"""What every record has, and Uvicorn colours; whatever else one has was given as `extra`."""


class LineFormatter(logging.Formatter):
    """`12:30:05 message`; from a warning on with its level."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
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


def logging_config(*, debug: bool) -> dict[str, Any]:
    """Django's LOGGING: everything to stderr; Uvicorn speaks up only when something is wrong."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"()": "config.logging.LineFormatter"},
            "json": {"()": "config.logging.JsonFormatter"},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line" if debug else "json"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "chorus": {"level": "INFO"},
            "django": {"handlers": [], "level": "INFO"},
        },
    }
