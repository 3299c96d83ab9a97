"""Servers that many tests share, and what holds for every test with real processes."""

from collections.abc import Iterator

import pytest

from tests import processes
from tests.processes import PostgresServer, Server, postgres_server, redis_server, serve
from tests.servers.clients import Site


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show with a failure what the processes that still run have printed."""
    report = yield
    if report.failed:  # type: ignore[attr-defined]
        for process in processes.alive:
            report.sections.append((f"{process.name} on port {process.port}", process.log[-5000:]))  # type: ignore[attr-defined]
    return report


@pytest.fixture(autouse=True)
def _no_traceback() -> Iterator[None]:
    """Whatever a client sends, a server never has more to say than a line."""
    before = {process: len(process.log) for process in processes.alive}
    yield
    for process in processes.alive:
        assert "Traceback" not in process.log[before.get(process, 0) :]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine goes through to reach others, it reaches itself directly."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The site with nothing configured, but a login has to come within a second."""
    with serve({"CHORUS_LOGIN_TIMEOUT": "1"}) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A cluster in which each test makes a database of its own."""
    with postgres_server() as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A Redis, and a database of each kind, for servers that belong together."""
    database = {}
    if request.param == "postgres":
        database["DATABASE_URL"] = request.getfixturevalue("postgres").database()
    with redis_server() as redis:
        yield Site({"REDIS_URL": redis.url, **database}, tmp_path_factory.mktemp("data"), redis)


@pytest.fixture(scope="module")
def pair(site: Site) -> Iterator[tuple[Server, Server]]:
    """Two servers of one site: whoever is on the first reaches the second through Redis only."""
    with site.serve() as first, site.serve() as second:
        yield first, second
