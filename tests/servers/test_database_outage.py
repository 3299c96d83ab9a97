"""While PostgreSQL is away a message is `unavailable`; sent again with its id it is there once."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.processes import PostgresServer, Server, postgres_server, serve
from tests.servers.clients import member


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A cluster of this module's own, to be killed."""
    with postgres_server() as running:
        yield running


@pytest.fixture(scope="module")
def server(postgres: PostgresServer) -> Iterator[Server]:
    """A server on it."""
    with serve({"DATABASE_URL": postgres.database()}) as running:
        yield running


async def test_a_message_said_while_the_database_is_away_is_there_once_when_it_is_back(
    server: Server, postgres: PostgresServer
) -> None:
    async with member(server, "alice") as alice, member(server, "bob") as bob:
        await alice.say("before")
        await asyncio.to_thread(postgres.kill)
        await alice.send("send", text="during", id="same")
        assert (await alice.next("error", id="same"))["code"] == "unavailable"
        await asyncio.to_thread(postgres.start)
        said = await alice.say("during", "same")
        assert await bob.hear("during") == said
        assert (await bob.say("after"))["seq"] == said["seq"] + 1 == 3
