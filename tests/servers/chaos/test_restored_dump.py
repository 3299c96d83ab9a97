"""A database restored from a backup that is 400 messages old: every client is told that what it has is void."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.processes import PostgresServer, Server, missing, postgres_server
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import Listener, Talker, listening, settled, sqlite_site, stored
from tests.servers.chaos.watch import all_reached, promise_calm
from tests.servers.clients import Event, Site, eventually

OLD = 400
"""Messages that the backup does not have."""
POSITIONS = (-20, 50, 200, OLD)
"""Where clients stand that are away: so many messages after the backup."""
AGAIN = 240
"""Messages after the restore, until those who were away return: some stood before them, some after."""
ROUNDS, ROUNDS_LONG = 1, 10
TOLD_SECONDS = 15.0


class Backup(Protocol):
    """A way to copy a site's database and to bring the copy back."""

    site: Site
    server: Server

    def take(self) -> None:
        """Copy what is there, while the site serves."""

    def restore(self) -> None:
        """Bring the copy back as docs tell it, `renew_epochs` included; at the end the site serves."""


class SQLiteBackup:
    """A file, brought back while no server runs."""

    def __init__(self, site: Site, server: Server) -> None:
        self.site, self.server = site, server
        self._live, self._copy = site.data_dir / "chorus.sqlite3", site.data_dir / "copy.sqlite3"

    def take(self) -> None:
        with closing(sqlite3.connect(self._live)) as live, closing(sqlite3.connect(self._copy)) as copy:
            live.backup(copy)

    def restore(self) -> None:
        assert self.server.terminate() == 0
        for suffix in ("-wal", "-shm"):
            Path(f"{self._live}{suffix}").unlink(missing_ok=True)
        self._copy.replace(self._live)
        self.server.manage("renew_epochs")
        self.server.start()


class PostgresBackup:
    """A dump, brought back under the servers while they serve."""

    def __init__(self, site: Site, server: Server, postgres: PostgresServer) -> None:
        self.site, self.server = site, server
        self._file = site.data_dir / "dump"
        beside = Path(postgres.command[0]).resolve().parent  # of the same version
        self._path = f"{beside}{os.pathsep}{os.environ['PATH']}"

    def _run(self, program: str, *arguments: str) -> None:
        found = shutil.which(program, path=self._path) or missing(program, "sudo apt-get install postgresql")
        command = [found, *arguments, "--dbname", self.site.env["DATABASE_URL"]]
        subprocess.run(command, check=True, capture_output=True)

    def take(self) -> None:
        self._run("pg_dump", "--format=custom", "--file", str(self._file))

    def restore(self) -> None:
        self._run("pg_restore", "--clean", "--single-transaction", str(self._file))
        self.server.manage("renew_epochs")


@contextmanager
def sqlite_backup() -> Iterator[Backup]:
    """Two workers on SQLite."""
    with sqlite_site() as site, site.serve(workers=2) as server:
        yield SQLiteBackup(site, server)


@contextmanager
def postgres_backup() -> Iterator[Backup]:
    """Two workers on PostgreSQL."""
    with (
        postgres_server() as postgres,
        sqlite_site(DATABASE_URL=postgres.database()) as site,
        site.serve(workers=2) as server,
    ):
        yield PostgresBackup(site, server, postgres)


class Page(Listener):
    """A listener that begins anew when it is told to; what it had is void, so the ledger gets a receiver more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.told = 0
        """How often it was told `recovered: false`."""
        self.came = 0
        """How often it has joined."""
        self.ledger_then = self.ledger
        """Where what it sees from then on is written."""

    def _joined(self, event: Event) -> None:
        if self.epoch and not event["recovered"]:
            self.told += 1
            self.epoch, self.ledger, self.name = "", self.ledger_then, f"{self.name}'"
        super()._joined(event)
        self.came += 1


async def talk(talkers: Sequence[Talker], count: int) -> None:
    """Say so many things, shared among the talkers."""

    async def part(one: Talker) -> None:
        for number in range(count // len(talkers)):
            await one.say(f"{number}")

    await asyncio.gather(*(part(one) for one in talkers))


async def visit(pages: Sequence[Page], seq: int) -> None:
    """Let them come, read up to a position, and go."""
    before = [one.came for one in pages]
    async with listening(*pages):
        # Of what they saw before they came back there may be more than of what is there now.
        await eventually(lambda: all(one.came > was for one, was in zip(pages, before, strict=True)))
        await all_reached(pages, seq)


async def go_back(backup: Backup, talkers: Sequence[Talker], away: Sequence[Page]) -> None:
    """Talk on past a backup and take everything since then back; one after another leaves meanwhile."""
    at = POSITIONS[0]
    await talk(talkers, 100)
    for number, position in enumerate(POSITIONS):
        if at < 0 <= position:
            await talk(talkers, -at)
            await asyncio.to_thread(backup.take)
            at = 0
        await talk(talkers, position - at)
        at = position
        await visit(away[number:], max(one.seq for one in talkers))
    await asyncio.gather(*(one.close() for one in talkers))
    await asyncio.to_thread(backup.restore)


async def told(pages: Sequence[Page], before: Sequence[int]) -> float:
    """Wait until each was told since, at most TOLD_SECONDS; returns the seconds it took."""
    began = time.monotonic()
    with suppress(TimeoutError):
        async with asyncio.timeout(TOLD_SECONDS):
            await eventually(lambda: all(one.told > was for one, was in zip(pages, before, strict=True)))
    return time.monotonic() - began


async def one_round(backup: Backup, stay: Sequence[Page], away: Sequence[Page]) -> Tally:
    """Go back once; those who stayed are told at once, those who were away when they return."""
    ledger, pages, before = Ledger(), [*stay, *away], [one.told for one in (*stay, *away)]
    for one in pages:
        one.ledger_then = ledger
    await go_back(backup, [Talker(Ledger(), [backup.server]) for _ in range(2)], away)
    seconds = await told(stay, before[: len(stay)])
    talkers = [Talker(ledger, [backup.server]) for _ in range(2)]
    await talk(talkers, AGAIN)
    await asyncio.gather(*(one.close() for one in talkers))
    await visit(away, max(one.seq for one in talkers))
    await settled(backup.site, ledger, stay)
    tally = ledger.compare(await asyncio.to_thread(stored, backup.site), [one.name for one in pages])
    tally.recovered_in = seconds
    for one, was in zip(pages, before, strict=True):
        tally.promise(one.told > was, f"{one.name} was not told that what it has is void")
    return tally


def add(total: Tally, tally: Tally) -> None:
    """Add what one round counted."""
    for name in ("sent", "acknowledged", "lost", "doubled", "reordered"):
        setattr(total, name, getattr(total, name) + getattr(tally, name))
    total.recovered_in = max(total.recovered_in or 0, tally.recovered_in or 0)
    total.broken += tally.broken


async def restored(make: Callable[[], AbstractContextManager[Backup]], long: bool) -> Tally:
    """Go back 400 messages; some clients stay connected, others are away meanwhile, at several positions.

    What was acknowledged after the backup is gone, as it must be; what is counted is said after the restore.
    """
    total = Tally()
    with make() as backup:
        stay = [Page(Ledger(), f"who stays {number}", [backup.server], "bob") for number in range(4)]
        away = [Page(Ledger(), f"who is away at {position}", [backup.server], "bob") for position in POSITIONS]
        async with listening(*stay):
            for _ in range(ROUNDS_LONG if long else ROUNDS):
                add(total, await one_round(backup, stay, away))
        promise_calm(total, backup.server)
    return total


_PROMISE = "every client told `recovered: false`, none silently skips"
ROWS = (
    Row("SQLite restored from a copy 400 messages old, renew_epochs", _PROMISE, partial(restored, sqlite_backup)),
    Row(
        "PostgreSQL restored from a dump 400 messages old while it serves, renew_epochs",
        _PROMISE,
        partial(restored, postgres_backup),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=["SQLite", "PostgreSQL"])
async def test_who_has_more_than_a_restored_database_is_told(row: Row) -> None:
    await row.short()
