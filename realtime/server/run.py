"""This site on Uvicorn, with one process or several: what `manage.py serve` and `manage.py up` run."""

import errno
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import NoReturn

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.server import Server
from uvicorn.supervisors import ChangeReload, Multiprocess

from realtime.conf import conf
from realtime.server.frames import bound_send_buffer
from realtime.server.options import Options

logger = logging.getLogger("chorus.serve")

BACKLOG = 2048
"""Connections the kernel may hold until they are accepted."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOPPING_SECONDS = 25
"""How long a stopping worker waits for its sockets to close; process managers kill after 30."""


class PortInUse(CommandError):
    """Somebody listens on that port already."""


COLLECT_AFTER = 20_000
"""Objects between two looks of the garbage collector; with Python's 700 it looks at every seventh connection."""


class Supervisor(Multiprocess):
    """Starts workers, and others for those that die, which it hears of at once."""

    def init_processes(self) -> None:
        super().init_processes()
        self._let_go()

    def keep_subprocess_alive(self) -> None:
        super().keep_subprocess_alive()
        self._let_go()

    def _let_go(self) -> None:
        # While this process holds the workers' ends of their pipes too, the pipe of a worker that dies before it
        # answers has no end, and its supervisor waits `timeout_worker_healthcheck` for the answer.
        for worker in self.processes:
            worker.child_conn.close()


class WorkerConfig(Config):
    """What a worker loads when it starts. One that cannot is not worth starting again."""

    bounds_send_buffer = True
    """The listener does, for all connections: to ask for it at each costs a system call or two."""

    def load(self) -> None:
        try:
            super().load()
        except Exception:
            logger.exception("the application cannot be loaded")
            sys.exit(STARTUP_FAILURE)
        calm_collector()


def calm_collector() -> None:
    """Let the garbage collector look less often, and not at what is loaded, for it stays.

    Else a third of a connect's time is its: each leaves twenty objects that live on.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises PortInUse, or CommandError for a wrong host."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise CommandError(f"There is no host {host} to listen on.") from None
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    listener = socket.socket(family)
    try:
        if os.name == "posix":  # elsewhere it would take the port from whoever has it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound_send_buffer(listener)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(f"Port {port} is in use. Try another: --port {port + 1}") from None
        raise CommandError(f"Cannot listen on {host} port {port}: {error.strerror}.") from None
    listener.set_inheritable(True)
    return listener


@contextmanager
def listen_unix(path: Path) -> Iterator[socket.socket]:
    """A listening unix socket, which is removed at the end; raises CommandError where there cannot be one.

    One that nobody listens on any more is replaced. Everybody who may enter its directory may connect.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise CommandError("This system has no unix sockets.")
    with socket.socket(socket.AF_UNIX) as listener:
        bound_send_buffer(listener)
        try:
            if path.is_socket() and _is_deserted(path):
                path.unlink()
            listener.bind(str(path))
            path.chmod(0o666)  # a proxy is another user
            made = path.stat()
            listener.listen(BACKLOG)
        except OSError as error:
            raise CommandError(f"Cannot listen on {path}: {error.strerror or error}.") from None
        listener.set_inheritable(True)
        try:
            yield listener
        finally:
            with suppress(OSError):
                if path.stat().st_ino == made.st_ino:  # not another server's by now
                    path.unlink()


def _is_deserted(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
    return False


def uvicorn_config(options: Options) -> Config:
    """Uvicorn's settings for this site."""
    module, _, attribute = settings.ASGI_APPLICATION.rpartition(".")
    return WorkerConfig(
        f"{module}:{attribute}",
        workers=options.workers,
        reload=options.reload,
        reload_dirs=_own_directories() if options.reload else None,
        ssl_certfile=options.tls_cert,
        ssl_keyfile=options.tls_key or options.tls_cert,
        loop="realtime.server.tls_loop:TlsLoop" if options.tls_cert else "auto",
        http="realtime.server.first:FirstProtocol" if find_spec("httptools") else "auto",
        ws="realtime.server:ChorusProtocol",
        ws_max_size=conf.max_frame_bytes,
        ws_ping_interval=conf.ping_interval or None,
        ws_ping_timeout=conf.ping_timeout or None,
        lifespan="off",
        backlog=BACKLOG,
        timeout_graceful_shutdown=STOPPING_SECONDS,
        timeout_worker_healthcheck=15,
        log_config=None,  # Django's LOGGING
        access_log=False,
        proxy_headers=False,  # TRUSTED_PROXIES decides
        server_header=False,
    )


def _own_directories() -> list[str]:
    """Where this site's own code is."""
    paths = [Path(app.path) for app in apps.get_app_configs()]
    return [str(path) for path in paths if "site-packages" not in path.parts]


def loaded(options: Options) -> Config:
    """Uvicorn's settings with the application imported; raises CommandError where that fails."""
    config = uvicorn_config(options)
    try:
        Config.load(config)
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        raise CommandError(
            f"{settings.ASGI_APPLICATION} cannot be loaded: {problem} (--traceback shows where)"
        ) from error
    return config


def end_as_asked() -> None:
    """From now on SIGINT and SIGTERM end this process with exit code 0, until a server takes them over."""
    for number in STOP_SIGNALS:
        signal.signal(number, _exit)


def _exit(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def serve_here(config: Config, listener: socket.socket) -> None:
    """Serve with one process, this one, until SIGINT or SIGTERM."""
    server = Server(config)
    # Uvicorn takes these only while it serves, and afterwards raises the signal again: then this one
    # has nothing left to do, where the default would end the process as a failure.
    for number in STOP_SIGNALS:
        signal.signal(number, server.handle_exit)
    # Not before: what a handler raises while the collector works is lost, and so would be the wish to stop.
    calm_collector()
    server.run(sockets=[listener])


def serve(options: Options, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; raises CommandError when the application cannot start."""
    if options.reload:
        config = uvicorn_config(options)
        ChangeReload(config, target=Server(config).run, sockets=[listener]).run()
    elif options.workers > 1:
        loaded(options)  # one that does not load here would load in no worker
        _run_workers(uvicorn_config(options), listener)
    else:
        serve_here(loaded(options), listener)


def _run_workers(config: Config, listener: socket.socket) -> None:
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)  # in this process: workers that start and die
    supervisor = Supervisor(config, sockets=[listener])
    supervisor.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes):
        raise CommandError("A worker could not start; the log says why.")
