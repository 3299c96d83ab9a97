"""`manage.py serve`: what it refuses, what it tells Uvicorn, and how its processes end."""

import argparse
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError
from pytest_django import Settings
from websockets.sync.client import connect

from config import certificate
from realtime.management.commands import serve
from realtime.management.commands.serve import Options, PortInUse, uvicorn_config
from tests.processes import RedisServer, free_port
from tests.processes import serve as running

BASE_DIR = Path(__file__).resolve().parents[2]


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """A certificate and its key in one file."""
    path = tmp_path / "localhost.pem"
    certificate.write(path)
    return path


# What it refuses.


@pytest.mark.usefixtures("development")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com"])  # noqa: S104
def test_development_is_not_for_the_network(host: str) -> None:
    with pytest.raises(CommandError, match="DEBUG is on: set DEBUG=0 for production, or CHORUS_DEV_LAN=1 for a"):
        serve.check(Options(host=host))


@pytest.mark.usefixtures("development")
@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_development_is_for_this_machine(host: str) -> None:
    serve.check(Options(host=host))


@pytest.mark.usefixtures("development")
def test_development_is_for_a_trusted_network_on_request(settings: Settings) -> None:
    settings.CHORUS_DEV_LAN = True
    serve.check(Options(host="0.0.0.0"))  # noqa: S104


def test_production_listens_anywhere() -> None:
    serve.check(Options(host="0.0.0.0"))  # noqa: S104


def test_several_workers_need_a_layer_between_them(settings: Settings) -> None:
    with pytest.raises(CommandError, match="--workers 2 needs REDIS_URL"):
        serve.check(Options(workers=2))
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}}
    serve.check(Options(workers=2))


def test_a_site_without_a_layer_is_a_site_with_one_worker(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {}
    with pytest.raises(CommandError, match="needs REDIS_URL"):
        serve.check(Options(workers=2))


def test_reloading_is_for_one_worker() -> None:
    with pytest.raises(CommandError, match="--reload works with one worker"):
        serve.check(Options(workers=2, reload=True))


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no file .*/none\.pem"):
        serve.check(Options(tls_cert=tmp_path / "none.pem"))


def test_a_key_alone_is_no_certificate(pem: Path) -> None:
    with pytest.raises(CommandError, match="--tls-key needs --tls-cert"):
        serve.check(Options(tls_key=pem))


def test_a_file_without_a_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    with pytest.raises(CommandError, match=r"empty\.pem does not hold a certificate and its key"):
        serve.check(Options(tls_cert=tmp_path / "empty.pem"))


def test_one_file_may_hold_certificate_and_key(pem: Path) -> None:
    serve.check(Options(tls_cert=pem))
    serve.check(Options(tls_cert=pem, tls_key=pem))


def test_uncollected_static_files_are_noticed_before_a_page_fails(tmp_path: Path, settings: Settings) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "config.static.ManifestStorage"}}
    with pytest.raises(CommandError, match=r"Run manage\.py collectstatic first"):
        serve.check(Options())


@pytest.mark.parametrize("value", ["-1", "65536", "http", "", "8_000"])
def test_what_is_no_port_is_refused(value: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a port"):
        serve.port_number(value)


# Where it listens.


def test_a_free_port_is_found() -> None:
    with serve.listen("127.0.0.1", 0) as listener:
        socket.create_connection(listener.getsockname()).close()


def test_a_taken_port_is_said_with_another() -> None:
    with serve.listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(PortInUse, match=f"Port {port} is in use. Try another: --port {port + 1}"):
            serve.listen("127.0.0.1", port)


def test_localhost_is_where_browsers_look_first() -> None:
    with serve.listen("localhost", 0) as listener:
        assert listener.family == socket.AF_INET


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(CommandError, match=r"There is no host nowhere\.invalid"):
        serve.listen("nowhere.invalid", 0)


# What it tells Uvicorn.


def test_uvicorn_is_told_our_protocol_and_limits(settings: Settings) -> None:
    settings.CHORUS_MAX_FRAME_BYTES, settings.CHORUS_PING_INTERVAL, settings.CHORUS_PING_TIMEOUT = 5000, 7, 3
    config = uvicorn_config(Options())
    assert config.app == "config.asgi:application"
    assert config.ws == "realtime.server:ChorusProtocol"
    assert (config.ws_max_size, config.ws_ping_interval, config.ws_ping_timeout) == (5000, 7, 3)
    assert config.ws_per_message_deflate is False
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
        serve.loaded(Options())


# How its processes end.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_worker_ends_as_asked(number: signal.Signals) -> None:
    with running() as server:
        assert server.terminate(number) == 0
        assert "Traceback" not in server.log


def test_several_workers_serve_and_end_as_asked(redis: RedisServer) -> None:
    with running({"REDIS_URL": redis.url}, workers=2) as server:
        with connect(f"{server.ws}/ws/echo/") as client:
            client.send("hello")
            assert client.recv() == "hello"
        assert server.terminate() == 0


def test_it_serves_wss_with_the_file_of_make_cert(pem: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(pem))
    with running(tls_cert=pem) as server, connect(f"{server.ws}/ws/echo/", ssl=trusting) as client:
        client.send("hello")
        assert client.recv() == "hello"


BROKEN_WORKER = """
import multiprocessing
if multiprocessing.parent_process():
    raise RuntimeError("no disk")
from config.asgi import application
"""


def test_a_worker_that_cannot_start_ends_them_all(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN_WORKER)
    (tmp_path / "its_settings.py").write_text(
        "from config.settings import *\nASGI_APPLICATION = 'broken.application'\n"
    )
    command = [sys.executable, "manage.py", "serve", "--port", str(free_port()), "--workers", "2"]
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tmp_path),
        "DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "its_settings",
        "REDIS_URL": "redis://localhost",
    }
    done = subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "RuntimeError: no disk" in done.stderr
    assert done.stderr.endswith("CommandError: A worker could not start; the log says why.\n")
