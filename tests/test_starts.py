"""Which tests `make test-fast` leaves out, and that it finds those it should have left out."""

import subprocess
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests import processes
from tests.processes import RedisServer, free_port, redis_server, serve
from tests.starts import reaches_starter


def runs() -> None:
    subprocess.run(["true"], check=True)


def runs_by_another() -> None:
    runs()


def runs_inside() -> Any:
    return [runs_by_another for _ in range(2)]


def runs_by_module() -> Any:
    return processes.serve()


def only_names_them(server: RedisServer) -> Path:
    return Path(server.url, str(free_port()), processes.PASSWORD)


class Runner:
    """Has one method that does and one that does not."""

    def run(self) -> None:
        runs()

    @property
    def made(self) -> int:
        """Nothing of the kind."""
        return 1


class Quick(Runner):
    """Does what its base does."""


def uses_a_class() -> object:
    return Quick()


@pytest.mark.parametrize(
    "thing",
    [
        runs,
        runs_by_another,
        runs_inside,
        runs_by_module,
        uses_a_class,
        Quick(),
        partial(runs),
        (1, runs),
        redis_server,
        serve,
    ],
)
@pytest.mark.process
def test_what_starts_a_process_is_seen(thing: Any) -> None:
    assert reaches_starter(thing)


@pytest.mark.parametrize("thing", [only_names_them, free_port, processes, "subprocess", None, pytest.fixture, Path])
def test_what_starts_none_is_seen(thing: Any) -> None:
    assert not reaches_starter(thing)


def test_this_one_starts_none(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("process") is None


def test_one_that_asks_for_a_redis_needs_a_process(request: pytest.FixtureRequest, redis: RedisServer) -> None:
    assert request.node.get_closest_marker("process") is not None


def test_a_process_that_nobody_saw_coming_fails_the_test() -> None:
    with pytest.raises(pytest.fail.Exception, match="give it the marker `process`"):
        import_module("subprocess").run(["true"])
