"""The cast of these tests, and what they hold in their hands."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts.models import Token
from realtime import db as socket_db

PASSWORD = "correct horse"  # noqa: S105 - theirs, here


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _socket_threads() -> Iterator[None]:
    yield
    socket_db.close()


@pytest.fixture
def alice(db: None) -> User:
    """An ordinary user."""
    return User.objects.create_user("alice", "alice@example.com", PASSWORD)


@pytest.fixture
def bob(db: None) -> User:
    """Another ordinary user, who must not touch what is Alice's."""
    return User.objects.create_user("bob", "bob@example.com", PASSWORD)


@pytest.fixture
def root(db: None) -> User:
    """A superuser."""
    return User.objects.create_superuser("root", "root@example.com", PASSWORD)


@pytest.fixture
def issued(alice: User) -> tuple[Token, str]:
    """A token of Alice's that may do everything, and its secret."""
    return Token.issue(alice, "laptop")


@pytest.fixture
def token(issued: tuple[Token, str]) -> Token:
    """The token itself."""
    return issued[0]


@pytest.fixture
def secret(issued: tuple[Token, str]) -> str:
    """Its secret."""
    return issued[1]
