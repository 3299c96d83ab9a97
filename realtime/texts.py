"""What a text may be that somebody sends for others to read."""

import re
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from pydantic import AfterValidator, Field, StringConstraints

from realtime.secrecy import NOT_SAYABLE, holds_secret

CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters (Unicode category Cc) other than tab and line breaks."""


NOT_PRINTABLE = "control characters other than tab and line break are not allowed"


def check_sayable(text: str) -> str:
    """Return a text that others may read; raises ValueError.

    PostgreSQL cannot store NUL, and no other control character has a use in a message; a secret has none at all.
    """
    if CONTROL_CHARACTERS.search(text):
        raise ValueError(NOT_PRINTABLE)
    if holds_secret(text):
        raise ValueError(NOT_SAYABLE)
    return text


def check_not_blank(text: str) -> str:
    """Return a text that shows something, as pages want it; raises ValueError."""
    if not text.replace("\ufeff", "").strip():
        raise ValueError("expected some text")
    return text


def clean_texts(row: Any, *names: str) -> None:
    """Raise ValidationError for the first of a row's texts that others should not read; for its `clean`."""
    for name in names:
        try:
            check_sayable(getattr(row, name, ""))
        except ValueError as error:
            raise ValidationError({name: str(error)}) from None


_CONTROL = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
PRINTABLE = {"pattern": f"^[^{_CONTROL}]*$"}
"""CONTROL_CHARACTERS, for JSON Schema."""
NOT_BLANK = (
    AfterValidator(check_not_blank),
    Field(json_schema_extra={"pattern": rf"^[^{_CONTROL}]*[^{_CONTROL}\s\ufeff][^{_CONTROL}]*$"}),
)
"""What a PersonText is annotated with that must show something."""

PersonText = Annotated[str, AfterValidator(check_sayable), Field(json_schema_extra=PRINTABLE)]
"""Text that a person wrote and others read."""

LONGEST_TEXT = 2**20
"""Characters of a message that are read at all; CHORUS_MAX_TEXT says how many of them may be sent."""
LongText = Annotated[PersonText, StringConstraints(min_length=1, max_length=LONGEST_TEXT), *NOT_BLANK]

ClientId = Annotated[PersonText, StringConstraints(min_length=1, max_length=64)]
"""A client's own name for its command, best a UUID: the same id again is answered with the first result."""
