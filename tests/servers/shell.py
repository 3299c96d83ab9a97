"""A shell beside servers: it changes what they share, in a process of its own."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.processes import BASE_DIR, environment

_LOOP = """
import django, json, sys
django.setup()
from datetime import timedelta
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db.models.functions import Now
from django.test import Client
from accounts.models import Token
from chat.models import Room, Sanction
from notifications.models import Topic
from realtime.access import Identity
from realtime.connections.control import disconnect
answers, sys.stdout = sys.stdout, sys.stderr
known = dict(globals())
for line in sys.stdin:
    local = dict(known)
    exec(json.loads(line), local)
    print(json.dumps(local.get("answer")), file=answers, flush=True)
"""


class Shell:
    """Runs Python there."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._lock = asyncio.Lock()

    async def run(self, code: str) -> Any:
        """Run it; returns what it leaves in `answer`."""
        async with self._lock:
            return await asyncio.to_thread(self._run, code)

    def _run(self, code: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the shell has ended; it says why above"
        return json.loads(line)


@contextmanager
def shell(env: Mapping[str, str], data_dir: Path) -> Iterator[Shell]:
    """Open a shell on the data of servers with this environment."""
    process = subprocess.Popen(
        [sys.executable, "-c", _LOOP],
        cwd=BASE_DIR,
        env=environment({**env, "DJANGO_SETTINGS_MODULE": "config.settings"}, data_dir),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Shell(process)
    finally:
        process.communicate()
