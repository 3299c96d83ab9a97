"""`manage.py serve`: how its processes begin and end."""

import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.sync.client import connect

from config import certificate
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
