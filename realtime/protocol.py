"""What is said on a JSON route, in types: commands, events, errors and close codes. Pure: no input or output."""

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import from_json

from realtime.texts import ClientId, check_sayable
from realtime.validation import integers, problems_of, told

ErrorCode = Literal[
    "bad_json",
    "unsupported_action",
    "invalid",
    "too_long",
    "forbidden",
    "not_found",
    "rate_limited",
    "id_conflict",
    "unavailable",
]


class CloseCode(IntEnum):
    """Close codes (RFC 6455 §7.4); after 4000–4499 a client comes back, after 4500–4999 it does not."""

    DONE = 1000
    UNSUPPORTED_DATA = 1003
    POLICY = 1008
    TOO_BIG = 1009
    INTERNAL = 1011
    RESTARTING = 1012
    TRY_LATER = 1013
    SLOW_READER = 4000
    RATE = 4003
    BAD_NAME = 4500
    REVOKED = 4503
    NO_SUCH_STREAM = 4504
    NOT_ALLOWED = 4506


class Refused(Exception):
    """A command that is not carried out, with the error its sender reads.

    `close` is set where the socket cannot go on: the error is sent, then the socket is closed.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        close: CloseCode | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields
        self.retry_after = retry_after
        self.close = close


class Close(Exception):
    """Raised in a handler to close the socket: nothing was refused, and nothing more is to be said."""

    def __init__(self, code: CloseCode, reason: str = "") -> None:
        super().__init__(f"{code:d} {reason}")
        self.code = code
        self.reason = reason


class Payload(BaseModel):
    """What commands and events share: frozen, and unknown fields are ignored so that either side may grow."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def sayable(text: str) -> str:
    """Return a text that a person wrote; raises Refused `invalid` if it holds control characters or a secret."""
    try:
        return check_sayable(text)
    except ValueError as error:
        raise Refused("invalid", str(error)) from None


class Command(Payload):
    """A message from a client; a subclass fixes `action` with a Literal that has a default."""

    action: str
    id: ClientId | None = None


class Event(Payload):
    """A message to a client; a subclass fixes `type` with a Literal that has a default."""

    type: str

    def encode(self) -> str:
        """This event as JSON text; fields that are None are left out."""
        return self.model_dump_json(exclude_none=True)


class Auth(Command):
    """A login on an open socket; `action` may be left out."""

    action: Literal["auth"] = "auth"
    token: Annotated[str, StringConstraints(max_length=4096)]


class AuthResult(Event):
    """The answer to a login by token."""

    type: Literal["auth"] = "auth"
    status: Literal["ok", "error"]
    username: str | None = None
    sender_id: str | None = None
    """On JSON routes: what others know them by there."""
    message: str | None = None


class Ping(Command):
    """Asks whether the connection still lives; it counts as no command."""

    action: Literal["ping"] = "ping"


class Pong(Event):
    """It does."""

    type: Literal["pong"] = "pong"
    id: str | None = None


class ErrorEvent(Event):
    """A command was not carried out; the socket stays open."""

    type: Literal["error"] = "error"
    code: ErrorCode
    message: str
    id: str | None = None
    fields: dict[str, str] | None = None
    """For `invalid`: what is wrong, by field."""
    retry_after: float | None = None
    """For `rate_limited`: seconds to wait."""

    @classmethod
    def of(cls, refusal: Refused, id: str | None = None) -> "ErrorEvent":
        """The event that tells a client of a refusal."""
        return cls(
            code=refusal.code,
            message=refusal.message,
            id=id,
            fields=dict(refusal.fields) if refusal.fields else None,
            retry_after=refusal.retry_after,
        )


class PersonInfo(Payload):
    """Somebody: what others know them by, and what they are called now."""

    id: str | None = None
    """Their `sender_id`."""
    name: str


class Users(Payload):
    """Who is here: people, their connections and, up to 100, who they are."""

    count: int
    connections: int | None = None
    names: list[str] | None = None
    people: list[PersonInfo] | None = None
    """The same people as `names`, in the same order."""


class UsersEvent(Event):
    """How many connections read this stream; on connect, and when that changes."""

    type: Literal["users"] = "users"
    count: int


Sequence = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A position in a stream; the first entry has 1, so 0 stands before all."""

Epoch = Annotated[str, StringConstraints(max_length=64)]
"""The epoch that a client gives with a position; one of ours has 8 characters."""

Timestamp = datetime

C = TypeVar("C", bound=Command)


BLANK = " \t\r\n\ufeff"
"""What may stand before JSON: white space (RFC 8259 §2), and a byte order mark, which a reader may ignore (§8.1)."""


def is_object(text: str) -> bool:
    """Tell whether a text is to be read as a JSON object, and not as a text."""
    return text.lstrip(BLANK).startswith("{")


def parse_object(text: str) -> dict[str, Any]:
    """Read a frame as a JSON object.

    Raises Refused `bad_json` for what is not JSON (RFC 8259), nests too deep (some 200 levels), holds half
    a surrogate pair, NaN or an infinity, or is no object.
    """
    try:
        value = from_json(text.lstrip(BLANK), allow_inf_nan=False)
    except ValueError as error:
        raise Refused("bad_json", f"Expected a JSON object: {error}") from None
    if not isinstance(value, dict):
        raise Refused("bad_json", f"Expected a JSON object, got {type(value).__name__}")
    return value


def client_id(value: Mapping[str, Any]) -> str | None:
    """The `id` to repeat in an error about a command that may not even be valid."""
    found = value.get("id")
    return found if isinstance(found, str) and 0 < len(found) <= 64 else None


def validate(model: type[C], value: Mapping[str, Any]) -> C:
    """Make a typed command of a JSON object; raises Refused `invalid` that names the first wrong fields."""
    try:
        return model.model_validate(value, strict=True)
    except ValidationError as error:
        problems = problems_of(error)
    if any(problem["type"] == "int_type" for problem in problems):  # a float, perhaps 5.0, which is an integer too
        try:
            return model.model_validate(integers(dict(value)), strict=True)
        except ValidationError as error:
            problems = problems_of(error)
    fields, summary = told(problems)
    action = model.model_fields["action"].default
    named = action if value.get("action") == action else "command"
    raise Refused("invalid", f"Invalid {named}: {summary}", fields=fields)
