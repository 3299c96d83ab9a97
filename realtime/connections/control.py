"""What admin and other code tell and ask the open sockets of every process. Callable from any synchronous code."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from realtime.connections.report import Connections, Wanted, merge
from realtime.hub import hub as fanout
from realtime.protocol import CloseCode


def look_again(
    *, users: Iterable[Any] = (), streams: Iterable[str] = (), everyone: bool = False, using: str | None = None
) -> None:
    """Have rights looked at again once the surrounding transaction commits.

    `users` are primary keys, `streams` keys as Stream.key gives them. What nobody hears is found by the
    review that every process makes each minute.
    """
    item = {
        "t": "review",
        "users": [str(pk) for pk in users],
        "streams": list(streams),
        "everyone": everyone,
    }
    _tell(item, using)


def disconnect(
    reason: str,
    *,
    connection: str | None = None,
    user: Any = None,
    token: Any = None,
    stream: str | None = None,
    identity: str | None = None,
    code: CloseCode = CloseCode.REVOKED,
) -> None:
    """Close the open sockets to which all that is given applies, in every process; at least one has to be given.

    `connection` is a connection's id, `user` and `token` primary keys, `stream` a Stream.key, `identity` an
    Identity.key. `reason` is what the client reads in the close frame.
    """
    given = {"connection": connection, "user": user, "token": token, "stream": stream, "identity": identity}
    matches = {name: str(value) for name, value in given.items() if value is not None}
    if not matches:
        raise ValueError("say which sockets are to be closed")
    _tell({"t": "kick", "matches": matches, "code": int(code), "reason": reason}, None)


ANSWER_SECONDS = 0.5
"""How long other processes have to say who is connected to them."""


def who(wanted: Wanted | None = None) -> Connections:
    """Who is connected to all processes now. With Redis it takes ANSWER_SECONDS; who answers later is left out."""
    wanted = wanted or Wanted()
    item = {"t": "who", "matches": dict(wanted.matches), "text": wanted.text}
    reports, complete = fanout.ask_control(item, ANSWER_SECONDS)
    return merge(reports, complete=complete)


def _tell(item: dict[str, Any], using: str | None) -> None:
    def tell() -> None:  # a function with a name, which Django puts into its log if it fails
        fanout.tell_control(item)

    transaction.on_commit(tell, using=using, robust=True)
