"""`manage.py make_cert`."""

import stat
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from config import certificate


@pytest.fixture
def pem(tmp_path: Path, settings: Settings) -> Path:
    """A certificate where the command keeps it."""
    settings.DATA_DIR = tmp_path / "data"
    path = tmp_path / "data" / "localhost.pem"
    certificate.write(path)
    return path


def test_it_replaces_an_old_one(pem: Path) -> None:
    pem.chmod(0o644)
    old = pem.read_bytes()
    call_command("make_cert")
    assert pem.read_bytes() != old
    assert stat.S_IMODE(pem.stat().st_mode) == 0o600


def test_it_says_where_it_is_and_how_to_trust_it(pem: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("make_cert")
    assert capsys.readouterr().out == f"{pem}\nValid 825 days. Programs that trust it: SSL_CERT_FILE={pem}\n"
