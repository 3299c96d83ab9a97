"""What is said on a counter's socket: one typed model for each command and event."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from realtime import protocol
from realtime.protocol import Command, Event, Sequence

MAX_DELTA = 1_000_000
MAX_VALUE = 2**53 - 1
"""The largest integer that every client counts exactly (ECMA-262: Number.MAX_SAFE_INTEGER)."""


def _not_zero(delta: int) -> int:
    if not delta:
        raise ValueError("expected a number other than 0")
    return delta


NOT_ZERO = {"not": {"const": 0}}
Delta = Annotated[int, Field(ge=-MAX_DELTA, le=MAX_DELTA, json_schema_extra=NOT_ZERO), AfterValidator(_not_zero)]
Value = Annotated[int, Field(ge=-MAX_VALUE, le=MAX_VALUE)]

# From the client.


class Plus(Command):
    """Add one."""

    action: Literal["plus"] = "plus"


class Minus(Command):
    """Take one away."""

    action: Literal["minus"] = "minus"


class Add(Command):
    """Add a number, which may be negative."""

    action: Literal["add"] = "add"
    delta: Delta


# To the client.


class UsersEvent(protocol.UsersEvent):
    """How many connections show this counter; on connect, and when that changes."""


class StateEvent(Event):
    """Where the counter stands; versions only rise."""

    type: Literal["state"] = "state"
    value: Value
    version: Sequence


class Ack(Event):
    """A change with an id is committed; value and version right after it."""

    type: Literal["ack"] = "ack"
    id: str
    value: Value
    version: Sequence
    duplicate: Literal[True] | None = None
    """This id was carried out before; nothing was added now."""


COMMANDS: tuple[type[Command], ...] = (Plus, Minus, Add)
EVENTS: tuple[type[Event], ...] = (UsersEvent, StateEvent, Ack)
