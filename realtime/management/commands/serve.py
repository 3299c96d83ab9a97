"""`manage.py serve`: this site on Uvicorn, with one process or several."""

import argparse
import logging
import socket
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from realtime.server.options import Options, check_options, port_number, positive, url_host
from realtime.server.run import end_as_asked, listen, listen_unix, serve

logger = logging.getLogger("chorus.serve")


class Command(BaseCommand):
    help = "Serve the pages and sockets of this site with Uvicorn."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=port_number, default=8000, help="the port to listen on (8000)")
        parser.add_argument("--uds", type=Path, metavar="PATH", help="a unix socket, in place of host and port")
        parser.add_argument("--workers", type=positive, default=1, help="processes; several need REDIS_URL (1)")
        parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate chain, PEM")
        parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its key (the same file)")
        parser.add_argument("--reload", action="store_true", help="start again when this site's code changes")

    def handle(self, *_: Any, **given: Any) -> None:
        options = Options(**{name: given[name] for name in Options.__slots__})
        check_options(options)
        end_as_asked()
        if options.uds:
            with listen_unix(options.uds) as listener:
                self._serve(options, listener, f"unix:{options.uds}")
        else:
            with listen(options.host, options.port) as listener:
                port = listener.getsockname()[1]
                self._serve(options, listener, f"{options.scheme}://{url_host(options.host)}:{port}/")

    def _serve(self, options: Options, listener: socket.socket, where: str) -> None:
        logger.info("serving %s with %d worker%s", where, options.workers, "s" * (options.workers > 1))
        serve(options, listener)
