"""A certificate for localhost that its own file vouches for."""

import datetime
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from config import certificate


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """A fresh certificate."""
    path = tmp_path / "data" / "localhost.pem"
    certificate.write(path)
    return path


def shake_hands(pem: Path, name: str) -> None:
    """Let a client that trusts this file and nothing else meet a server that uses it."""
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_context.load_cert_chain(pem)
    client_context = ssl.create_default_context(cafile=str(pem))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_a_client_that_trusts_the_file_trusts_this_machine(pem: Path, name: str) -> None:
    shake_hands(pem, name)


def test_it_vouches_for_no_other_name(pem: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(pem, "example.com")


def test_only_its_owner_reads_it(pem: Path) -> None:
    assert stat.S_IMODE(pem.stat().st_mode) == 0o600


def test_it_is_valid_for_no_more_than_825_days(pem: Path) -> None:
    made = x509.load_pem_x509_certificate(pem.read_bytes())
    assert made.not_valid_after_utc - made.not_valid_before_utc <= datetime.timedelta(days=825)
