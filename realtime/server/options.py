"""What a server is asked for, and what of it would not work, or not safely."""

import argparse
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management.base import CommandError


@dataclass(frozen=True, slots=True)
class Options:
    """What `serve` was asked for."""

    host: str = "127.0.0.1"
    port: int = 8000
    uds: Path | None = None
    """A unix socket to listen on, in place of host and port."""
    workers: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None
    reload: bool = False

    @property
    def scheme(self) -> str:
        """`https` or `http`."""
        return "https" if self.tls_cert else "http"


def check_options(options: Options) -> None:
    """Raise CommandError for what would not work, or not safely."""
    if (
        settings.DEBUG
        and not options.uds
        and not _is_loopback(options.host)
        and not getattr(settings, "CHORUS_DEV_LAN", False)
    ):
        raise CommandError("DEBUG is on: set DEBUG=0 for production, or CHORUS_DEV_LAN=1 for a trusted network.")
    if options.workers > 1 and options.reload:
        raise CommandError("--reload works with one worker.")
    if options.workers > 1 and _layer().endswith("InMemoryChannelLayer"):
        raise CommandError(
            f"--workers {options.workers} needs REDIS_URL: "
            "without Redis a message reaches only the sockets of one process."
        )
    _check_tls(options)
    read_manifest = getattr(staticfiles_storage, "read_manifest", None)
    if read_manifest is not None and read_manifest() is None:
        raise CommandError("There are no static files yet. Run manage.py collectstatic first.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _layer() -> str:
    backend: str = getattr(settings, "CHANNEL_LAYERS", {}).get("default", {}).get("BACKEND", "")
    return backend or "InMemoryChannelLayer"


def _check_tls(options: Options) -> None:
    if options.tls_key and not options.tls_cert:
        raise CommandError("--tls-key needs --tls-cert.")
    for path in filter(None, (options.tls_cert, options.tls_key)):
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
    if options.tls_cert:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(options.tls_cert, options.tls_key)
        except (ssl.SSLError, OSError) as error:
            raise CommandError(f"{options.tls_cert} does not hold a certificate and its key: {error}") from None


def url_host(host: str) -> str:
    """A host as it stands in a URL: IPv6 addresses in brackets (RFC 3986 §3.2.2)."""
    return f"[{host}]" if ":" in host else host


def port_number(value: str) -> int:
    """A port for argparse."""
    if value.isdecimal() and int(value) < 65536:
        return int(value)
    raise argparse.ArgumentTypeError(f"{value!r} is not a port: expected 0 to 65535")


def positive(value: str) -> int:
    """A number of processes for argparse."""
    if value.isdecimal() and int(value) > 0:
        return int(value)
    raise argparse.ArgumentTypeError(f"{value!r} is not a number of processes")
