"""Failed logins are counted by all processes together, and nobody logs in by password where they cannot be."""

import json
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.processes import PASSWORD, Server, redis_server
from tests.servers.clients import Site, bearer, closed, get, member
from tests.servers.test_log_lines import BAD, for_token, log_in

Pair = tuple[Server, Server]


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that forgives two failures of a user and six of an address, in an hour."""
    limits = {"LOGIN_FAILURES_PER_USER": "2", "LOGIN_FAILURES_PER_ADDRESS": "6", "LOGIN_COOL_OFF": "3600"}
    proxies = {"TRUSTED_PROXIES": "127.0.0.1"}
    with redis_server() as redis:
        yield Site({"REDIS_URL": redis.url, **limits, **proxies}, tmp_path_factory.mktemp("data"), redis)


@pytest.fixture(scope="module")
def pair(limited: Site) -> Iterator[Pair]:
    """Two servers on it."""
    with limited.serve() as first, limited.serve() as second:
        yield first, second


def me(server: Server, token: str, address: str) -> int:
    """Ask with a token, as a proxy passes it on."""
    return get(server, "/api/me", **{"Authorization": f"Bearer {token}", "X-Forwarded-For": address}).status


def test_what_failed_at_one_process_counts_at_the_other(pair: Pair) -> None:
    first, second = pair
    assert [for_token(server, "alice", "wrong") for server in pair] == [401, 401]
    assert for_token(first, "alice", PASSWORD) == 429
    assert log_in(second, "alice", PASSWORD) == 429
    assert log_in(second, "bob", PASSWORD) == 302


def test_each_address_behind_a_proxy_has_a_count_of_its_own(pair: Pair) -> None:
    first, second = pair
    assert [me(server, BAD, "192.0.2.1") for server in (*pair, *pair, *pair)] == [401] * 6
    assert me(first, BAD, "198.51.100.9, 192.0.2.1") == 429
    assert me(second, BAD, "192.0.2.2") == 401


async def test_a_socket_is_told_that_it_was_too_much(pair: Pair) -> None:
    address = {"X-Forwarded-For": "192.0.2.3"}
    told = []
    for server in (*pair, *pair, *pair, *pair):
        async with connect(f"{server.ws}/ws/secure-echo/", additional_headers=address) as socket:
            await socket.send(json.dumps({"token": BAD}))
            told.append(json.loads(await socket.recv())["message"])
            assert (await closed(socket))[0] == 1008
    assert told == ["Invalid token"] * 6 + ["Too many attempts"] * 2


async def test_without_redis_passwords_are_unavailable_and_good_tokens_are_not(limited: Site, pair: Pair) -> None:
    first, _ = pair
    limited.redis.kill()
    try:
        assert for_token(first, "root", PASSWORD) == 503
        assert log_in(first, "root", PASSWORD) == 503
        assert me(first, BAD, "192.0.2.4") == 503
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{first.ws}/ws/secure-echo/", additional_headers={"Authorization": f"Bearer {BAD}"})
        assert refused.value.response.status_code == 503
        assert get(first, "/api/me", **bearer("root")).status == 200
        async with member(first, "alice", "candles") as alice:
            await alice.say("is anybody there?")
    finally:
        limited.redis.start()
    assert log_in(first, "root", PASSWORD) == 302


def test_an_outage_leaves_a_few_lines_and_no_traceback(pair: Pair, limited: Site) -> None:
    """Beside the layer's library, which logs one with a traceback each second."""
    (first, _), before = pair, {server: len(server.log) for server in pair}
    limited.redis.kill()
    try:
        first.wait_until(lambda: "no connection to the channel layer" in first.log[before[first] :], "it is told")
    finally:
        limited.redis.start()
    for server in pair:
        said = server.log[before[server] :]
        assert "Traceback" not in said
        assert said.count("no connection to the channel layer") <= 1
