"""What is about storage holds on PostgreSQL too, and there some things hold that SQLite has no need of."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from tests.processes import postgres_server

ROOT = Path(__file__).resolve().parent.parent
MAX_SECONDS = 240
ABOUT_STORAGE = (
    "tests/realtime/test_db.py",
    *(
        f"tests/realtime/streams/test_{name}.py"
        for name in ("stream", "commit", "history", "sizes", "queries", "grants")
    ),
    "tests/realtime/hub/test_journal.py",
    "tests/realtime/hub/test_live.py",
    "tests/chat/test_models.py",
    "tests/config/test_stores.py",
    "tests/realtime/test_admin_log.py",
)


@pytest.mark.skipif(connection.vendor == "postgresql", reason="all tests run on it")
def test_storage_on_postgresql() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ABOUT_STORAGE]
    with postgres_server() as server:
        environment = {**os.environ, "DATABASE_URL": server.url}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=MAX_SECONDS
        )
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2000:]
    assert "deselected" not in done.stdout
