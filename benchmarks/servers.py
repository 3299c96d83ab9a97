"""The servers under test, each in a process of its own on the server's core, on a free port, with fresh data.

Redis and PostgreSQL are real ones of our own, on the load's core. What starts and ends them is what the tests use.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

from accounts.secret import new_secret
from benchmarks.load.generator import Connection, Load, OnRead
from benchmarks.load.second import Second, second
from benchmarks.load.wire import PLAIN, Speech
from benchmarks.machine import LOAD_CORES, SERVER_CORES, beside_the_load, cpu_seconds, memory_bytes, pinned
from tests.processes import BASE_DIR, PostgresServer, Process, environment, free_port, manage, postgres_server, prepare
from tests.processes import redis_server as redis_process
from tests.processes import serve as chorus_process

PEOPLE = 10_000
"""Users with a token in every server's database; each connection is another one's."""
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "tests.servers.production_settings",
    "DEBUG": "0",
    "HTTPS": "0",
    "ALLOWED_HOSTS": "127.0.0.1",
}
"""Every limit is the default but for what a row raises."""
SENDING = {"CHORUS_COMMAND_RATE": "1000000", "CHORUS_COMMAND_BURST": "1000000"}
"""Limits of a row in which few people send as much as the server takes; by default each may send 20 a second."""
MANY = {"CHORUS_CONNECTIONS_PER_PROCESS": "20000"}
"""Limits of a row with more connections than the 10,000 that a process takes by default."""
MESSAGE_BYTES = 128


@cache
def secrets() -> list[str]:
    """The tokens of all people."""
    return [new_secret() for _ in range(PEOPLE)]


@dataclass
class Target:
    """A server under test, as the load sees it."""

    name: str
    process: Process
    paths: Mapping[str, str]
    """Where each kind of work is done: `echo`, `broadcast` …"""
    lines: str = ""
    """More lines for each handshake; `%s` in it is a token."""
    payload: str | bytes = "x" * MESSAGE_BYTES
    """What a client sends so that all get a message of MESSAGE_BYTES."""
    echo: str = "x" * MESSAGE_BYTES
    """What a client sends so that it comes back."""
    data_dir: Path = field(default_factory=Path)
    speech: Speech = PLAIN
    """How its clients speak, if not in plain text messages."""

    @property
    def pid(self) -> int:
        """Its process, which may have workers below it."""
        return self.process.pid

    @property
    def memory(self) -> int:
        """Bytes it uses."""
        return memory_bytes(self.pid)

    def open(
        self, load: Load, work: str, count: int, *, first: int = 0, on_read: OnRead | None = None
    ) -> list[Connection]:
        """Connect so many clients, the first of them with token number `first`, each logged in where it is asked."""
        return load.open(self.process.port, self.paths[work], self._headers(count, first), on_read, self.speech)

    def _headers(self, count: int, first: int = 0) -> list[str]:
        people = secrets()
        return [self.lines.replace("%s", people[index % PEOPLE]) for index in range(first, first + count)]

    def second(self, work: str, count: int) -> AbstractContextManager[Second]:
        """Connect so many clients of the second load generator, likewise."""
        return second(self.pid, self.process.port, self.paths[work], self._headers(count), str(self.payload))

    def wait_idle(self, most: float = 0.1, wait_seconds: float = 10.0) -> None:
        """Wait until it uses hardly any CPU, as a share of a core over 0.2 s: what went before is done.

        Pings to 10,000 connections alone take some; so it waits no longer than `wait_seconds`.
        """
        deadline = time.monotonic() + wait_seconds
        share = 1.0
        while share > most and time.monotonic() < deadline:
            before, start = cpu_seconds(self.pid), time.monotonic()
            time.sleep(0.2)
            share = (cpu_seconds(self.pid) - before) / (time.monotonic() - start)


def _fill(module: str, env: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", module]
    subprocess.run(command, cwd=BASE_DIR, env=dict(env), input=json.dumps(secrets()), text=True, check=True)


@cache
def _chorus_data() -> Path:
    """A data directory of Chorus with all people in it, to be copied."""
    directory = Path(_scratch().name) / "chorus"
    directory.mkdir()
    prepare({}, directory)
    _fill("benchmarks.people", environment({}, directory))
    manage("collectstatic", "--no-input", "-v0", env={**PRODUCTION, "REDIS_URL": "memory://"}, data_dir=directory)
    return directory


@cache
def _stock_data() -> Path:
    path = Path(_scratch().name) / "prepared.sqlite3"
    _fill("benchmarks.peers.stock.prepare", _stock_environment("redis://nowhere", path))
    return path


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="chorus-benchmarks-")


def _stock_environment(redis_url: str, database: Path) -> dict[str, str]:
    settings = {"DJANGO_SETTINGS_MODULE": "benchmarks.peers.stock.settings"}
    return {**environment(settings, Path()), "REDIS_URL": redis_url, "STOCK_DATABASE": str(database)}


class Bench:
    """What rows start servers with; Redis and PostgreSQL are started when first asked for, and shared."""

    def __init__(self, rounds: int, seconds: float) -> None:
        self.rounds, self.seconds = rounds, seconds
        self.left_out: dict[str, str] = {}
        """Peers that failed in this row, and how."""
        self._shared = ExitStack()
        self._redis_url = ""
        self._postgres: PostgresServer | None = None

    def close(self) -> None:
        """End what is shared."""
        beside_the_load.clear()
        self._shared.close()

    @property
    def redis_url(self) -> str:
        """A Redis on the load's core."""
        if not self._redis_url:
            with pinned(LOAD_CORES):
                redis = self._shared.enter_context(redis_process())
            beside_the_load.append(redis.pid)
            self._redis_url = redis.url
        return self._redis_url

    def _database_url(self, data_dir: Path) -> str:
        """A new PostgreSQL database with all people in it; a commit in it waits for the disk."""
        if self._postgres is None:
            with pinned(LOAD_CORES):
                self._postgres = self._shared.enter_context(postgres_server(durable=True))
            beside_the_load.append(self._postgres.pid)
        url = self._postgres.database()
        _fill("benchmarks.people", environment({"DATABASE_URL": url}, data_dir))
        return url

    def chorus_environment(self, data_dir: Path, database: str = "SQLite") -> dict[str, str]:
        """The settings of a Chorus on a copy of the prepared data, or on PostgreSQL."""
        shutil.copytree(_chorus_data(), data_dir, dirs_exist_ok=True)
        env = {**PRODUCTION, "REDIS_URL": self.redis_url, "CHORUS_NAMESPACE": f"b{time.time_ns():x}"}
        return env if database == "SQLite" else {**env, "DATABASE_URL": self._database_url(data_dir)}

    @contextmanager
    def chorus(
        self,
        database: str = "SQLite",
        workers: int = 1,
        cores: set[int] = SERVER_CORES,
        limits: Mapping[str, str] = MappingProxyType({}),
    ) -> Iterator[Target]:
        """Chorus as in production: `manage.py serve` with DEBUG off, Redis, logins, access, limits and presence.

        `limits` are those that are not to be the default.
        """
        with tempfile.TemporaryDirectory(prefix="chorus-") as name, ExitStack() as stack:
            env = {**self.chorus_environment(Path(name), database), **limits}
            with pinned(cores):
                process = stack.enter_context(chorus_process(env, workers=workers, data_dir=Path(name)))
            paths = {
                "echo": "/ws/echo/",
                "broadcast": "/ws/broadcast/",
                "login": "/ws/secure-echo/",
                "room": "/ws/chat/lobby/",
                "counter": "/ws/counter/",
                "notifications": "/ws/notifications/",
            }
            lines = "Authorization: Bearer %s\r\n"
            yield Target("Chorus", process, paths, lines, data_dir=Path(name))

    @contextmanager
    def one_by_one(self, database: str, what: str) -> Iterator[Callable[[float], float]]:
        """A function that commits messages or clicks one by one for so many seconds; returns how many a second."""
        with tempfile.TemporaryDirectory(prefix="one-by-one-") as name:
            data_dir = Path(name)
            env = environment(self.chorus_environment(data_dir, database), data_dir)
            command = [sys.executable, "-m", "benchmarks.peers.one_by_one", what]
            with pinned(SERVER_CORES):
                process = subprocess.Popen(
                    command, cwd=BASE_DIR, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
                )
            with process:  # which ends when its stdin does
                yield lambda seconds: _ask(process, seconds)

    @contextmanager
    def blaster(self) -> Iterator[Target]:
        """What only writes."""
        command = ("-m", "benchmarks.peers.blaster")
        with started("Ready-made frames", python(*command), {"any": "/"}, environment({}, Path())) as target:
            yield target

    @contextmanager
    def websockets(self) -> Iterator[Target]:
        """The bare library."""
        paths = dict.fromkeys(("broadcast", "login", "room"), "/group") | {"echo": "/echo"}
        with started("websockets", python("-m", "benchmarks.peers.bare"), paths, environment({}, Path())) as target:
            yield target

    @contextmanager
    def starlette(self) -> Iterator[Target]:
        """Starlette on Uvicorn."""
        paths = dict.fromkeys(("broadcast", "login", "room"), "/broadcast") | {"echo": "/echo"}
        command = python(*UVICORN, "benchmarks.peers.starlette_app:app", "--port")
        with started("Starlette", command, paths, environment({}, Path())) as target:
            yield target

    @contextmanager
    def stock(self, server: str = "Uvicorn") -> Iterator[Target]:
        """Channels as its tutorial has it, on Uvicorn or Daphne."""
        application = "benchmarks.peers.stock.asgi:application"
        on = {"Uvicorn": [*UVICORN, application, "--port"], "Daphne": ["-m", "daphne", "-v0", application, "-p"]}
        paths = {"echo": "/echo", "broadcast": "/room", "login": "/echo", "room": "/room"}
        paths |= {"store": "/store", "click": "/click"}
        with tempfile.TemporaryDirectory(prefix="stock-") as name:
            database = Path(name) / "stock.sqlite3"
            shutil.copy(_stock_data(), database)
            env = _stock_environment(self.redis_url, database)
            with started(f"Channels, {server}", python(*on[server]), paths, env) as target:
                target.lines = "Origin: http://127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                target.payload = json.dumps({"message": "x" * (MESSAGE_BYTES - len('{"message": ""}'))})
                yield target


def _ask(process: "subprocess.Popen[str]", seconds: float) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{seconds}\n")
    return float(process.stdout.readline())


UVICORN = ["-m", "uvicorn", "--ws", "websockets-sansio", "--log-level", "warning"]


Command = Callable[[int, Path], list[str]]
"""The command of a server that is to listen on that port and may keep files in that directory."""


def python(*arguments: str) -> Command:
    """A Python program whose last argument is its port."""
    return lambda port, _: [sys.executable, *arguments, str(port)]


@contextmanager
def started(name: str, command: Command, paths: Mapping[str, str], env: dict[str, str]) -> Iterator[Target]:
    """A peer on the server's core."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="peer-") as directory, ExitStack() as stack:
        process = Process(command(port, Path(directory)), port, Path(directory), env=env)
        with pinned(SERVER_CORES):
            stack.enter_context(process.running())
        yield Target(name, process, paths)


assert os.name == "posix", "the benchmarks need Linux"
