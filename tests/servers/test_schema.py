"""Whatever is sent to the HTTP API, it answers as its OpenAPI schema says: schemathesis asks, the same every time."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import TOKENS, Server, serve
from tests.servers.clients import get

CONFIG = Path(__file__).with_name("schemathesis.toml")
UNLIMITED = {"CHORUS_COMMAND_RATE": "0", "LOGIN_FAILURES_PER_USER": "0", "LOGIN_FAILURES_PER_ADDRESS": "0"}
TOKEN_ITSELF = "--exclude-path=/api/token/"  # what makes tokens takes no token, and what revokes one uses it up
ASKS_SECONDS = 120
DELETED = """
from django.contrib.auth.models import User
from chat.models import Room
from notifications.models import Topic
from realtime.access import Identity
alice = Identity.of_user(User.objects.get(username="alice"))
room = Room.objects.create(name="0", guest_access="write")
room.post(alice, "0", "again")
room.delete_message(alice, 1)
topic = Topic.objects.create(name="0", guest_access="write")
topic.publish(alice, "0")
topic.retract(alice, 1)
"""
"""What was said and taken back, where schemathesis looks and what it says again."""


@pytest.fixture(scope="module")
def lenient() -> Iterator[Server]:
    """A server that lets anybody ask as often as they like; it is filled with whatever is asked."""
    with serve(UNLIMITED) as server:
        server.manage("shell", "-c", DELETED)
        yield server


def ask(server: Server, directory: Path, secret: str | None, *options: str) -> str:
    """Ask all that fits `options`, with this bearer token; returns the report after having found it good."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", *options]
    if secret is not None:
        command += ["--header", f"Authorization: Bearer {secret}"]
    command += [f"{server.http}/api/openapi.json"]
    done = subprocess.run(
        command, cwd=directory, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=ASKS_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def operations_in(report: str) -> int:
    """How many operations were asked."""
    found = re.search(r"Tested: (\d+)", report)
    assert found is not None, report
    return int(found[1])


def operations_of(server: Server) -> int:
    """How many there are."""
    return sum(len(methods) for methods in json.loads(get(server, "/api/openapi.json").text)["paths"].values())


def test_a_guest_is_answered_as_the_schema_says(lenient: Server, tmp_path: Path) -> None:
    assert operations_in(ask(lenient, tmp_path, None)) == operations_of(lenient)


@pytest.mark.parametrize("person", ["alice", "root"])
def test_whoever_has_a_token_is_answered_as_the_schema_says(lenient: Server, tmp_path: Path, person: str) -> None:
    assert operations_in(ask(lenient, tmp_path, TOKENS[person], TOKEN_ITSELF)) == operations_of(lenient) - 2


def test_a_token_is_revoked_as_the_schema_says(lenient: Server, tmp_path: Path) -> None:
    secret = lenient.manage("create_token", "alice").split()[-1]
    assert get(lenient, "/api/me", Authorization=f"Bearer {secret}").status == 200
    assert operations_in(ask(lenient, tmp_path, secret, "--include-operation-id=accounts_api_revoke_token")) == 1
    assert get(lenient, "/api/me", Authorization=f"Bearer {secret}").status == 401


def test_what_is_sent_again_is_answered_as_the_schema_says(lenient: Server, tmp_path: Path) -> None:
    again = ["--header=Idempotency-Key: again", "--include-method=POST", TOKEN_ITSELF, "--phases=coverage"]
    assert operations_in(ask(lenient, tmp_path, TOKENS["alice"], *again)) == 5
