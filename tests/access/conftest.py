"""What every test of the table begins with."""

import pytest
from pytest_django import Settings

from realtime import db as socket_db
from tests.access.cast import Cast, make_cast


@pytest.fixture
async def cast(transactional_db: None, settings: Settings) -> Cast:
    """Everybody and everything; nobody is too quick or too many for this site."""
    settings.CHORUS_COMMAND_RATE = settings.LOGIN_FAILURES_PER_ADDRESS = 0
    settings.CHORUS_CONNECTIONS_PER_USER = settings.CHORUS_CONNECTIONS_PER_ADDRESS = 0
    return await socket_db.run(make_cast)
