"""One transaction that appends entries to streams: number, recognise repeats, insert."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.db import InterfaceError, OperationalError, connections, models, router, transaction
from django.db.models.functions import Now

from realtime import people
from realtime.protocol import Refused
from realtime.streams.batch import Batch, Stored
from realtime.streams.entry import Entry


class Appendable(Protocol):
    """What a commit asks of a stream whose row it has locked; realtime.streams.stream.Stream is one."""

    pk: Any
    epoch: str
    last_seq: int
    clock: datetime
    """The database's time at the lock."""

    @property
    def key(self) -> str:
        """Names this stream among all."""

    def begin_epoch(self) -> None:
        """Take a new epoch, which is still to be written."""

    def head(self) -> dict[str, Any]:
        """What is written to the locked row."""

    def shown(self, added: list[Entry]) -> list[Stored]:
        """What readers get of entries that commit together."""

    def settle(self, added: list[Entry]) -> None:
        """Do what else belongs into the transaction that added entries."""

    def appended(self) -> models.QuerySet[Any]:
        """This stream's rows, also those that are read no more."""

    def since(self, after: int, *, until: int) -> list[Stored]:
        """Entries after one position and not after another, oldest first."""


@dataclass(slots=True)
class Outcome:
    """What a commit did, by entry given: the stored entry, or why not."""

    results: dict[int, Entry | Exception] = field(default_factory=dict)
    """By index; an entry whose stream another transaction holds has none yet."""
    batches: list[Batch] = field(default_factory=list)
    """To be announced once the transaction has committed."""


@dataclass(frozen=True, slots=True)
class LockWait:
    """How long a lock may be waited for: not at all, or with a limit that only PostgreSQL needs."""

    allowed: bool
    seconds: float | None = None


NO_WAIT = LockWait(allowed=False)
WAIT = LockWait(allowed=True)


def commit(
    model: Any,
    entries: Sequence[Entry],
    *,
    lock: LockWait = WAIT,
    positions: dict[int, tuple[str, int]] | None = None,
) -> Outcome:
    """Append entries to their streams, in order, in one transaction or as part of the surrounding one.

    `positions` tells, by primary key, the epoch and how far in it the caller's hub is: what lies between that
    and the new entries is read too while the lock is held, and where the database is behind it, a backup was
    restored and the epoch is renewed. Streams that another transaction holds are passed over unless
    `lock` allows otherwise. An entry that fails for a reason of its own fails alone; OperationalError and
    InterfaceError (a lost connection, a full disk) fail all and are raised.
    """
    using = router.db_for_write(model)
    try:
        with transaction.atomic(using=using):
            return _commit(model, entries, using, lock, positions or {})
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - told to whoever handed the entry in, or tried again alone
        if len(entries) == 1:
            return Outcome({0: error})
    merged = Outcome()
    passed_over: set[int] = set()
    for index, entry in enumerate(entries):
        if entry.stream_id in passed_over:  # or it would overtake the one before it
            continue
        outcome = commit(model, [entry], lock=lock, positions=positions)
        if outcome.results:
            merged.results[index] = outcome.results[0]
        else:
            passed_over.add(entry.stream_id)
        merged.batches += outcome.batches
    return merged


def _commit(
    model: Any, entries: Sequence[Entry], using: str, lock: LockWait, positions: dict[int, tuple[str, int]]
) -> Outcome:
    outcome = Outcome()
    by_stream: dict[int, dict[int, Entry]] = defaultdict(dict)
    for index, entry in enumerate(entries):
        by_stream[entry.stream_id][index] = entry
    streams = _lock(model, by_stream, using, lock)
    missing = by_stream.keys() - streams.keys()
    if missing and not lock.allowed:
        missing -= set(model._default_manager.using(using).filter(pk__in=missing).values_list("pk", flat=True))
    for pk in missing:
        gone = Refused("not_found", "It does not exist any more.")
        outcome.results.update(dict.fromkeys(by_stream[pk], gone))
    known_until = {pk: stream.last_seq for pk, stream in streams.items()}
    added: dict[int, list[Entry]] = {}
    for pk, stream in streams.items():
        _renew_epoch(stream, positions.get(pk))
        if numbered := _number(stream, by_stream[pk], outcome.results):
            added[pk] = numbered
    _insert(model, using, added.values())
    for pk, numbered in added.items():
        stream = streams[pk]
        model._default_manager.using(using).filter(pk=pk).update(**stream.head())
        stream.settle(numbered)
        batch = Batch(stream.key, stream.epoch, numbered[0].seq, stream.last_seq, stream.shown(numbered))
        epoch, position = positions.get(pk, ("", known_until[pk]))
        if epoch == stream.epoch and position < known_until[pk]:
            batch.missed = stream.since(position, until=known_until[pk])
        outcome.batches.append(batch)
    return outcome


def _lock(model: Any, pks: Iterable[int], using: str, lock: LockWait) -> dict[int, Appendable]:
    """Lock the rows in the order of their keys, and read the database's clock with them.

    On SQLite the transaction is IMMEDIATE and already holds the one write lock there is.
    """
    if lock.seconds is not None and connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{lock.seconds * 1000:.0f}ms"])
    rows = (
        model._default_manager.using(using)
        .select_for_update(skip_locked=not lock.allowed, no_key=True)
        .filter(pk__in=list(pks))
        .order_by("pk")
        .annotate(clock=Now())
    )
    return {row.pk: row for row in rows}


def _number(stream: Appendable, entries: dict[int, Entry], results: dict[int, Entry | Exception]) -> list[Entry]:
    """Give each new entry its position; answer repeats and refusals in `results`. Returns the new ones."""
    ids = {entry.client_id for entry in entries.values() if entry.client_id is not None}
    known: dict[tuple[str, Any], Entry] = {}
    if ids:
        earlier = stream.appended().filter(client_id__in=ids)
        known = {(entry.sender_key, entry.client_id): entry for entry in earlier}
    added: list[Entry] = []
    for index, entry in entries.items():
        entry.stream = stream
        entry.digest = entry.body_digest()
        first = known.get((entry.sender_key, entry.client_id))
        if first is not None:
            results[index] = _repeat(first, entry)
            continue
        try:
            entry.apply()
        except Refused as refusal:
            results[index] = refusal
            continue
        stream.last_seq += 1
        entry.seq, entry.created_at = stream.last_seq, stream.clock
        entry.measure()
        added.append(entry)
        results[index] = entry
        if entry.client_id is not None:
            known[entry.sender_key, entry.client_id] = entry
    return added


def _renew_epoch(stream: Appendable, position: tuple[str, int] | None) -> None:
    """Begin a new epoch where the database is behind the caller's hub."""
    if position is not None and position[0] == stream.epoch and position[1] > stream.last_seq:
        stream.begin_epoch()


def _insert(model: Any, using: str, added: Iterable[list[Entry]]) -> None:
    """Insert the entries of all streams together: with many small rooms that is most of what a commit costs."""
    kept = [entry for numbered in added for entry in numbered if entry.is_kept]
    if kept:
        _name_senders(kept)
        model.entry_model._default_manager.using(using).bulk_create(kept)


def _name_senders(kept: list[Entry]) -> None:
    """Fill in the ids that readers know senders by, where nobody had asked yet: those of sockets are there."""
    nameless = [entry for entry in kept if not entry.sender_id]
    if nameless:
        ids = people.ids_of({entry.sender_key for entry in nameless})
        for entry in nameless:
            entry.sender_id = ids[entry.sender_key]


def _repeat(first: Entry, entry: Entry) -> Entry | Refused:
    if first.digest != entry.digest:
        return Refused("id_conflict", "This id was used before, for something else. Use a new one.")
    repeat = copy.copy(first)
    repeat.duplicate = True
    return repeat
