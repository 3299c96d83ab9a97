"""What processes let one another know: one typed, versioned notice for each thing.

A notice is a hint. Whoever does not know its tag or its version reads the database instead, so that processes of two
versions can serve beside each other; and one that is lost costs a moment, never an entry.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

Item = dict[str, Any]
"""A notice as a channel layer carries it: plain values only."""


class Notice:
    """Base of all notices. A subclass is a dataclass of plain values with a `tag` of its own."""

    __slots__ = ()

    tag: ClassVar[str]
    version: ClassVar[int] = 1
    """Raised when an older process would misread a new one's; one that has only more fields stays readable."""

    _by_tag: ClassVar[dict[str, "type[Notice]"]] = {}

    def __init_subclass__(cls) -> None:
        """Make the subclass known by its tag."""
        if hasattr(cls, "tag"):
            Notice._by_tag[cls.tag] = cls

    @property
    def size(self) -> int:
        """About how many bytes it has, where that can be many."""
        return 0

    def to_item(self) -> Item:
        """This notice for a channel layer."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {"t": self.tag, "v": self.version, **values}

    @classmethod
    def of_item(cls, item: Item) -> Self:
        """The notice in an item of this version. Raises KeyError or TypeError for what is none."""
        return cls(**{field.name: item[field.name] for field in fields(cls) if field.name in item})  # type: ignore[arg-type]


def read_notice(item: Item) -> Notice | None:
    """The notice in an item; None if its tag or its version is not known here. Raises KeyError for what is no item."""
    kind = Notice._by_tag.get(item["t"])  # noqa: SLF001 - the register of this very module
    if kind is None or item.get("v", 1) != kind.version:
        return None
    return kind.of_item(item)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Notice):
    """A notice that is answered with another: every process sends its own to the group `reply`."""

    answered_by: ClassVar[type[Notice]]

    reply: str = ""
    but: str = ""
    """The origin of a process that has answered already."""
