"""The site with the whiteboard, as docs/extending.md starts it, and browsers for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import UNLIMITED, browser, problems, visit
from tests.processes import Server, manage, prepare, serve

__all__ = ["browser", "problems", "server", "visit"]

SETTINGS = {"DJANGO_SETTINGS_MODULE": "examples.whiteboard_settings"}


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the settings of the example, on a database that its migration has been added to."""
    data_dir: Path = tmp_path_factory.mktemp("whiteboard")
    prepare({}, data_dir)
    manage("migrate", "--verbosity", "0", env=SETTINGS, data_dir=data_dir)
    with serve({**SETTINGS, **UNLIMITED}, data_dir=data_dir) as running:
        yield running
