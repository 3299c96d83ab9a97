"""A handshake of TLS that does not come is not waited for longer than a head."""

import asyncio
import socket
import ssl
import time
from pathlib import Path

from pytest_django import Settings

from realtime.server.tls_loop import TlsLoop
from tests.processes import manage, serve


def test_who_begins_no_handshake_is_hung_up_on(tmp_path: Path) -> None:
    manage("make_cert", env={}, data_dir=tmp_path)
    with serve({"CHORUS_HEAD_TIMEOUT": "1"}, data_dir=tmp_path, tls_cert=tmp_path / "localhost.pem") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            started = time.monotonic()
            assert client.recv(1) == b""
            assert time.monotonic() - started < 5
        assert "Traceback" not in server.log


def test_it_listens_with_tls_and_without(settings: Settings) -> None:
    settings.CHORUS_HEAD_TIMEOUT = 1

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        for context in (None, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)):
            listener = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=context)
            listener.close()

    with asyncio.Runner(loop_factory=TlsLoop) as runner:
        runner.run(listen())
