"""`manage.py up`: everything between a fresh checkout and a running development site."""

import argparse
import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from config import certificate
from config.passwords import random_password
from config.terminal import ctrl_c_is_ours
from realtime.server import run
from realtime.server.options import Options, check_options, port_number, url_host

ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not listened on


class Command(BaseCommand):
    help = "Prepare the database and the first admin, then serve: for development and for trying things out."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=port_number, default=8000, help="the port to listen on (8000)")
        parser.add_argument("--tls", action="store_true", help="serve https and wss with localhost.pem")

    def handle(self, *_: Any, host: str, port: int, tls: bool, **__: Any) -> None:
        run.end_as_asked()
        try:
            with ctrl_c_is_ours():
                self._serve(host, port, tls_cert=local_certificate() if tls else None)
        except run.PortInUse:
            raise CommandError(f"Port {port} is in use. Try: make run PORT={port + 1}") from None
        except SystemExit as stop:
            if stop.code:
                raise
        self.stdout.write("\nChorus stopped.")

    def _serve(self, host: str, port: int, tls_cert: Path | None) -> None:
        options = Options(host=host, port=port, tls_cert=tls_cert)
        check_options(options)
        with run.listen(host, port) as listener:
            password = prepare()
            config = run.loaded(options)
            self.stdout.write(banner(options, listener.getsockname()[1], password))
            self.stdout.flush()
            run.serve_here(config, listener)


def prepare() -> str | None:
    """Bring the database up to date; returns the first admin's password, if this made one."""
    try:
        call_command("migrate", verbosity=0, interactive=False)
        return first_admin()
    except OperationalError as error:
        raise CommandError(f"The database cannot be used: {error}") from error


def local_certificate() -> Path:
    """DATA_DIR/localhost.pem, made if there is none."""
    path: Path = settings.DATA_DIR / "localhost.pem"
    if not path.exists():
        certificate.write(path)
    return path


def first_admin() -> str | None:
    """Make the superuser `admin` if there is no superuser yet; returns the password, which is not kept."""
    if User.objects.filter(is_superuser=True).exists() or User.objects.filter(username="admin").exists():
        return None
    password = random_password()
    User.objects.create_superuser("admin", password=password)
    return password


def banner(options: Options, port: int, password: str | None) -> str:
    """Where everything is, and what to try first."""
    here = "127.0.0.1" if options.host in ANYWHERE else options.host
    site = f"{url_host(here)}:{port}"
    url = f"{options.scheme}://{site}"
    socket_url = f"{'wss' if options.tls_cert else 'ws'}://{site}/ws/echo/"
    login = (
        f"admin / {password}  (shown once; a new one: make password)" if password else "(a new password: make password)"
    )
    trust = f"SSL_CERT_FILE={from_here(options.tls_cert)} " if options.tls_cert else ""
    lines = [
        f"Chorus is running    {url}/",
        f"  Try two windows    {url}/chat/lobby/",
        f"  Admin              {url}/admin/   {login}",
        f"  From a terminal    {trust}{from_here(Path(sys.executable).with_name('websockets'))} {socket_url}",
    ]
    if options.host in ANYWHERE and (address := lan_address()):
        lines.append(f"  From a phone       {options.scheme}://{address}:{port}/")
    return "\n".join([*lines, "  Stop: Ctrl-C"])


def from_here(path: Path) -> Path:
    """A path as one would type it in this directory."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def lan_address() -> str | None:
    """This machine's address in its network, or None without one; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address nobody has (RFC 5737): only the route is looked up
        except OSError:
            return None
        address: str = probe.getsockname()[0]
        return address
