"""What somebody wants to publish. There is none that could not be: a draft is checked when it is made."""

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.limits import check_length
from realtime.protocol import Refused, sayable

MAX_TITLE = 200
MAX_TAGS = 10
MAX_TAG = 32
EXPECTED = {
    "message": "expected some text",
    "title": f"expected at most {MAX_TITLE} characters",
    "priority": "expected a number from 1 to 5",
    "tags": f"expected at most {MAX_TAGS} tags of 1 to {MAX_TAG} characters",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A notification that is not published yet. Raises Refused `too_long` or `invalid`, with the field."""

    message: str
    title: str = ""
    priority: int = 3
    """From 1 to 5."""
    tags: Sequence[str] = ()
    client_id: str | None = None
    """By which its sender may repeat it; it is published once."""

    def __post_init__(self) -> None:
        check_length(self.message)
        wrong = {
            "message": not self.message,
            "title": len(self.title) > MAX_TITLE,
            "priority": not 1 <= self.priority <= 5,
            "tags": len(self.tags) > MAX_TAGS or any(not 0 < len(tag) <= MAX_TAG for tag in self.tags),
        }
        for name in (name for name, is_wrong in wrong.items() if is_wrong):
            raise Refused("invalid", f"{name}: {EXPECTED[name]}", fields={name: EXPECTED[name]})
        for text in (self.message, self.title, *self.tags):
            sayable(text)
