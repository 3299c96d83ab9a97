"""One line of the log for one thing that happened, with its facts as fields."""

import logging
import re

WORD = re.compile(r"[^\s\"'=]*")
LONGEST = 200
"""Characters of one fact in a line."""


def log(logger: logging.Logger, what: str, *args: object, **facts: object) -> None:
    """Log `what % args` as information, then each fact as `name=value`; the facts are the record's `extra` too.

    A fact that somebody typed cannot look like another fact, or like another line.
    """
    line = what + "".join(f" {name}=%s" for name in facts)
    logger.info(line, *args, *map(_word, facts.values()), extra=facts)


def _word(value: object) -> str:
    text = str(value)[:LONGEST]
    return text if text.isprintable() and WORD.fullmatch(text) else repr(text)
