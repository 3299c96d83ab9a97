"""`manage.py up`: from a fresh checkout to a site that says where it is, and stops when asked."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from config.management.commands import up
from realtime.server.options import Options
from tests.processes import free_port, missing

BASE_DIR = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment with nothing set but where to keep the data."""
    return {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)}


@pytest.fixture
def started(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """`manage.py up` on a free port, until it has said where it is."""
    command = [sys.executable, "manage.py", "up", "--port", str(free_port())]
    with subprocess.Popen(
        command, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_banner(process: subprocess.Popen[str]) -> str:
    """What it prints until its last line."""
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    banner = ""
    for line in lines:
        banner += line
        if "Stop: Ctrl-C" in line:
            return banner
    raise AssertionError(banner)


def test_the_banner_says_what_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(Path.cwd() / ".venv/bin/python"))
    assert up.banner(Options(), 8000, "s3cret") == (
        "Chorus is running    http://127.0.0.1:8000/\n"
        "  Try two windows    http://127.0.0.1:8000/chat/lobby/\n"
        "  Admin              http://127.0.0.1:8000/admin/   "
        "admin / s3cret  (shown once; a new one: make password)\n"
        "  From a terminal    .venv/bin/websockets ws://127.0.0.1:8000/ws/echo/\n"
        "  Stop: Ctrl-C"
    )


def test_the_banner_shows_no_password_a_second_time() -> None:
    assert "/admin/   (a new password: make password)\n" in up.banner(Options(), 8000, None)


def test_the_banner_of_a_secure_site_says_whom_to_trust() -> None:
    banner = up.banner(Options(tls_cert=Path.cwd() / "var/localhost.pem"), 8443, None)
    assert "https://127.0.0.1:8443/chat/lobby/" in banner
    assert re.search(r"SSL_CERT_FILE=var/localhost.pem \S+ wss://127.0.0.1:8443/ws/echo/", banner)


def test_the_banner_has_an_address_for_a_phone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "lan_address", lambda: "192.168.1.5")
    banner = up.banner(Options(host="0.0.0.0"), 8000, None)  # noqa: S104 - what a user would type
    assert "From a phone       http://192.168.1.5:8000/" in banner
    assert "Chorus is running    http://127.0.0.1:8000/" in banner
    assert "phone" not in up.banner(Options(), 8000, None)


@pytest.mark.django_db
def test_the_first_admin_is_made_once() -> None:
    password = up.first_admin()
    assert password is not None
    assert User.objects.get(username="admin", is_superuser=True).check_password(password)
    assert up.first_admin() is None


def test_a_site_with_a_superuser_gets_no_other(root: User) -> None:
    assert up.first_admin() is None
    assert not User.objects.filter(username="admin").exists()


def test_a_taken_port_is_found_before_anything_else(settings: Settings) -> None:
    settings.DEBUG = True
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=f"^Port {port} is in use. Try: make run PORT={port + 1}$"):
            call_command("up", port=port)


def test_it_serves_and_keeps_its_data(started: subprocess.Popen[str], tmp_path: Path) -> None:
    banner = read_banner(started)
    url = re.search(r"http://\S+", banner)
    assert url is not None
    with urlopen(url[0]) as page:  # noqa: S310 - our own
        assert page.status == 200
    assert re.search(r"admin / \w{12}  \(shown once", banner)
    assert (tmp_path / "chorus.sqlite3").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_as_asked(started: subprocess.Popen[str], number: signal.Signals) -> None:
    read_banner(started)
    started.send_signal(number)
    rest, _ = started.communicate(timeout=20)
    assert rest == "\nChorus stopped.\n"
    assert started.returncode == 0


# A terminal of our own, in which make stands in front of Python as it does for everybody.
IN_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


@pytest.mark.skipif(os.name != "posix", reason="no terminals of this kind")
def test_ctrl_c_in_a_terminal_is_no_failure_of_make(environment: dict[str, str]) -> None:
    if which("make") is None:
        missing("make", "sudo apt-get install make")
    make = ["make", "run", f"PORT={free_port()}", f"PY={sys.executable}", "RUNTIME="]
    with subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL, *make],
        cwd=BASE_DIR,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        read_banner(process)
        try:
            rest, _ = process.communicate("\x03", timeout=20)
        finally:
            process.kill()  # or it would be waited for, for ever
    assert "Chorus stopped." in rest
    assert "***" not in rest
    assert process.returncode == 0
