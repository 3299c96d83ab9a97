"""Streams over HTTP: open one, list them, read one page by page."""

import asyncio
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from pydantic import AfterValidator, Field

from realtime import access, db
from realtime.access import Action, Identity
from realtime.http.authentication import owe
from realtime.http.replies import reply_json
from realtime.http.requests import ApiRequest
from realtime.hub.hub import current_hub
from realtime.hub.journal import current_journal
from realtime.protocol import Epoch, Event, Payload, Refused, Sequence, sayable
from realtime.rates import HISTORY_COST
from realtime.streams.batch import PAGE, Snapshot, Stored
from realtime.streams.entry import AnyEntry
from realtime.streams.key import group_of
from realtime.streams.replay import pages, with_entries
from realtime.streams.stream import Stream

NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""A stream's name as a client may write it, for JSON Schema; realtime.streams.stream.validate_name holds it."""
Name = Annotated[str, AfterValidator(sayable), Field(json_schema_extra={"pattern": f"^{NAME}$"})]
"""A stream's name in an address."""


def open_stream(model: type[Stream], name: str, identity: Identity, action: Action) -> Any:
    """The stream of that name, if `identity` may do this there; raises Refused. Synchronous, for db.run.

    To read it makes none, unless in development: reading is what a GET does.
    """
    stream = model._default_manager.open(name, identity, make=action == "write")
    access.require(identity, action, stream)
    return stream


def append(request: ApiRequest, stream: Stream, entry: AnyEntry) -> "asyncio.Future[AnyEntry]":
    """Append an entry of whoever asks, as a socket does; see Journal.append."""
    owe(request, current_hub().cost_of(group_of(stream.key)))
    return current_journal().append(stream, entry)


def readable(model: type[Stream], identity: Identity) -> list[Any]:
    """The streams that `identity` may read, and their token too. Synchronous, for db.run_apart."""
    streams = model._default_manager.readable_by(identity)
    return [stream for stream in streams if identity.has_scope("read", stream)]


class Asked(Payload):
    """Which entries of a stream are asked for: the newest, or those after a position, or before one."""

    since: Sequence | None = Field(None, description="Those after this position.")
    epoch: Epoch | None = Field(None, description="Its epoch, to learn whether anything is missing.")
    before: Annotated[Sequence, Field(ge=1)] | None = Field(None, description="Only those before this position.")
    limit: Annotated[int, Field(ge=1, le=PAGE)] = 50


class Page(Event):
    """Entries of a stream, oldest first. An app's own has them as its last field, `messages`."""

    type: Literal["history"] = "history"
    seq: Sequence
    """The stream's last position."""
    epoch: str
    recovered: bool | None = None
    """With `since` and `epoch`: nothing after it is missing. False: what is left follows, or the newest."""
    more: bool
    """There are more of those asked for: after these with `since`, else before them."""


async def reply_page(
    request: ApiRequest, model: type[Page], stream: Stream, asked: Asked, **fields: Any
) -> HttpResponse:
    """The entries asked for, in an app's kind of page; their ready JSON is not decoded."""
    owe(request, HISTORY_COST - 1)
    found, entries = await db.run_apart(_read, stream, asked)
    return reply_json(with_entries(model.model_validate({**found, **fields, "messages": []}), entries))


def _read(stream: Stream, asked: Asked) -> tuple[dict[str, Any], list[Stored]]:
    if asked.since is not None:
        snapshot = type(stream).read(stream.pk, asked.since, asked.limit)
        if snapshot is None:
            raise Refused("not_found", "It does not exist any more.")
        known = asked.epoch in {None, snapshot.epoch} or asked.since == 0
        if known and asked.since <= snapshot.last_seq:
            return _after(snapshot, asked.since, asked)
    entries, more = stream.history(before=asked.before, limit=asked.limit)
    recovered = None if asked.since is None else False
    seq = max(stream.last_seq, entries[-1].seq if entries else 0)
    return {"seq": seq, "epoch": stream.epoch, "recovered": recovered, "more": more}, entries


def _after(snapshot: Snapshot, since: int, asked: Asked) -> tuple[dict[str, Any], list[Stored]]:
    last = snapshot.last_seq if asked.before is None else min(snapshot.last_seq, asked.before - 1)
    entries = next(pages([entry for entry in snapshot.events if entry.seq <= last]))
    following = snapshot.events[0].seq if snapshot.events else snapshot.last_seq + 1
    return {
        "seq": snapshot.last_seq,
        "epoch": snapshot.epoch,
        "recovered": None if asked.epoch is None else following == since + 1,
        "more": bool(entries) and entries[-1].seq < last,
    }, entries
