"""Where a server listens, and what it tells Uvicorn."""

import gc
import signal
import socket
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.core.management import CommandError
from pytest_django import Settings
from uvicorn.server import Server

from realtime.server.options import Options
from realtime.server.run import (
    COLLECT_AFTER,
    STOP_SIGNALS,
    PortInUse,
    listen,
    listen_unix,
    loaded,
    serve_here,
    uvicorn_config,
)

BASE_DIR = Path(__file__).resolve().parents[3]


# Where it listens.


def test_a_free_port_is_found() -> None:
    with listen("127.0.0.1", 0) as listener:
        socket.create_connection(listener.getsockname()).close()


def test_a_taken_port_is_said_with_another() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(PortInUse, match=f"Port {port} is in use. Try another: --port {port + 1}"):
            listen("127.0.0.1", port)


def test_localhost_is_where_browsers_look_first() -> None:
    with listen("localhost", 0) as listener:
        assert listener.family == socket.AF_INET


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(CommandError, match=r"There is no host nowhere\.invalid"):
        listen("nowhere.invalid", 0)


def test_a_unix_socket_is_there_as_long_as_its_server(tmp_path: Path) -> None:
    path = tmp_path / "chorus.sock"
    with listen_unix(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        assert path.stat().st_mode & 0o777 == 0o666
        with (
            pytest.raises(CommandError, match=r"Cannot listen on .*/chorus\.sock: Address already in use"),
            listen_unix(path),
        ):
            pass
    assert not path.exists()


def test_a_unix_socket_that_nobody_listens_on_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "chorus.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with listen_unix(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_file_that_is_no_unix_socket_stays(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(CommandError, match=r"Cannot listen on .*/notes"), listen_unix(tmp_path / "notes"):
        pass
    assert (tmp_path / "notes").read_text() == "mine"


@pytest.mark.parametrize("name", ["nowhere/chorus.sock", "x" * 200])
def test_a_place_that_is_none_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^Cannot listen on "), listen_unix(tmp_path / name):
        pass


# What it tells Uvicorn.


def test_uvicorn_is_told_our_protocol_and_limits(settings: Settings) -> None:
    settings.CHORUS_MAX_FRAME_BYTES, settings.CHORUS_PING_INTERVAL, settings.CHORUS_PING_TIMEOUT = 5000, 7, 3
    config = uvicorn_config(Options())
    assert config.app == "config.asgi:application"
    assert config.ws == "realtime.server:ChorusProtocol"
    assert (config.ws_max_size, config.ws_ping_interval, config.ws_ping_timeout) == (5000, 7, 3)
    assert config.proxy_headers is False


def test_a_ping_interval_of_0_is_no_ping(settings: Settings) -> None:
    settings.CHORUS_PING_INTERVAL = settings.CHORUS_PING_TIMEOUT = 0
    config = uvicorn_config(Options())
    assert (config.ws_ping_interval, config.ws_ping_timeout) == (None, None)


def test_reloading_watches_this_site_and_no_package() -> None:
    watched = uvicorn_config(Options(reload=True)).reload_dirs
    assert BASE_DIR / "chat" in watched
    assert not any("site-packages" in path.parts for path in watched)


def test_an_application_that_cannot_be_loaded_is_said_in_a_line(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "without_a_disk.py").write_text("raise RuntimeError('no disk')")
    monkeypatch.syspath_prepend(tmp_path)
    settings.ASGI_APPLICATION = "without_a_disk.application"
    with pytest.raises(CommandError, match=r"^without_a_disk\.application cannot be loaded: RuntimeError"):
        loaded(Options())


def test_one_process_looks_for_garbage_as_seldom_as_a_worker_does(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(Server, "run", lambda *_, **__: seen.extend((gc.get_threshold()[0], gc.get_freeze_count())))
    threshold, handlers = gc.get_threshold(), {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        serve_here(uvicorn_config(Options()), Mock())
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert seen[0] == COLLECT_AFTER
    assert seen[1] > 0
