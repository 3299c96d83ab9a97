"""What admin and other code tell and ask the open sockets of every process. Callable from any synchronous code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.db import transaction

from realtime.connections.open import OpenSockets, applies
from realtime.connections.report import Overview, Report, Wanted, merge
from realtime.connections.review import Review
from realtime.processes import reach
from realtime.processes.notices import Notice, Question
from realtime.protocol import CloseCode

CONTROL = "chorus.control"
"""The group of all processes: what open sockets must learn of."""
BY_MODERATOR = "a moderator ended your connection"
"""The reason of a disconnect that somebody ordered, as a client reads it in the close frame."""
ANSWER_SECONDS = 0.5
"""How long other processes have to say who is connected to them."""


@dataclass(frozen=True, slots=True)
class LookAgain(Notice):
    """The rights of sockets are to be looked at again; see `look_again`."""

    tag = "review"

    users: list[str]
    streams: list[str]
    everyone: bool


@dataclass(frozen=True, slots=True)
class Disconnect(Notice):
    """Sockets are to be closed; see `disconnect`."""

    tag = "kick"

    matches: Mapping[str, str]
    code: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Who(Question):
    """Who is connected to each process."""

    tag = "who"
    answered_by = Report

    matches: Mapping[str, str]
    text: str
    within: list[str] | None = None

    @property
    def wanted(self) -> Wanted:
        """Which sockets are asked for."""
        return Wanted(self.matches, self.text, None if self.within is None else frozenset(self.within))


def look_again(
    *, users: Iterable[Any] = (), streams: Iterable[str] = (), everyone: bool = False, using: str | None = None
) -> None:
    """Have rights looked at again once the surrounding transaction commits.

    `users` are primary keys, `streams` keys as Stream.key gives them. What nobody hears is found by the
    review that every process makes each minute.
    """
    _tell_on_commit(LookAgain([str(pk) for pk in users], list(streams), everyone), using)


def disconnect(
    reason: str,
    *,
    connection: str | None = None,
    user: Any = None,
    token: Any = None,
    stream: str | None = None,
    identity: str | None = None,
    sender: str | None = None,
    code: CloseCode = CloseCode.REVOKED,
) -> None:
    """Close the open sockets to which all that is given applies, in every process; at least one has to be given.

    `connection` is a connection's id, `user` and `token` primary keys, `stream` a Stream.key, `identity` an
    Identity.key, `sender` a `sender_id`. `reason` is what the client reads in the close frame.
    """
    given = {"connection": connection, "user": user, "token": token, "stream": stream, "identity": identity}
    given["sender"] = sender
    matches = {name: str(value) for name, value in given.items() if value is not None}
    if not matches:
        raise ValueError("say which sockets are to be closed")
    _tell_on_commit(Disconnect(matches, int(code), reason), None)


def who(wanted: Wanted | None = None) -> Overview:
    """Who is connected to all processes now. With Redis it takes ANSWER_SECONDS; who answers later is left out."""
    wanted = wanted or Wanted()
    within = None if wanted.within is None else sorted(wanted.within)
    question = Who(matches=dict(wanted.matches), text=wanted.text, within=within)
    answers, complete = reach.ask(CONTROL, question, ANSWER_SECONDS, idle=Report.of((), wanted))
    return merge(cast("list[Report]", answers), complete=complete)


def obey(notice: Notice | None, sockets: OpenSockets, review: Review) -> None:
    """Do to this process's sockets what such a notice says; what is not known here is left to the next review."""
    match notice:
        case LookAgain(users, streams, everyone):
            review.ask(users, streams, everyone=everyone)
        case Disconnect(matches, code, reason):
            for socket in sockets:
                if applies(matches, socket):
                    socket.end(CloseCode(code), reason)


def _tell_on_commit(notice: Notice, using: str | None) -> None:
    def tell() -> None:  # a function with a name, which Django puts into its log if it fails
        reach.tell(CONTROL, notice)

    transaction.on_commit(tell, using=using, robust=True)
