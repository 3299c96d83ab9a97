"""The cast of the tests, the sites they play on, and what each of them leaves behind: nothing."""

import asyncio
import functools
import inspect
import os
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
from channels.layers import get_channel_layer
from channels.routing import get_default_application
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from django.core.signals import setting_changed
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings
from redis.asyncio import Redis

from accounts.models import Token
from chat.models import Room
from config.stores import channel_layer
from realtime.access import AccessLevel
from realtime.hub import hub as fanout
from realtime.hub.hub import close_hub
from realtime.streams.kinds import kinds
from realtime.testing import close_threads, tidy
from tests.flush import quick_flush
from tests.processes import PASSWORD, PORT_RANGES, RedisServer, redis_server
from tests.starts import Guard, starts_process

TEST_SECONDS = 60.0

# The same examples on every machine, however slow it is.
hypothesis.settings.register_profile("chorus", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("chorus")


guard = Guard()


def pytest_xdist_auto_num_workers() -> int | None:
    """Two for each core, since tests wait for servers and for moments to pass; no more than have ports of their own."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(2 * cores, PORT_RANGES)


def pytest_configure(config: pytest.Config) -> None:
    """Say what the markers mean."""
    config.addinivalue_line("markers", "postgresql: holds on PostgreSQL, where DATABASE_URL names one")
    config.addinivalue_line("markers", "process: starts a process or a browser; most have it from tests.starts")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let no test wait for ever, and leave out what is about another database: it does not exist here."""
    for item in items:
        if inspect.iscoroutinefunction(getattr(item, "obj", None)):
            item.obj = _limited(item.obj)  # type: ignore[attr-defined]
        if starts_process(item):
            item.add_marker("process")
    if hasattr(config, "workerinput"):  # of several: what waits most begins first, and short ones fill the end
        files = {item.path for item in items if item.get_closest_marker("process")}
        items.sort(key=lambda item: item.path not in files)
    if connection.vendor == "postgresql":
        return
    elsewhere = [item for item in items if item.get_closest_marker("postgresql")]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]


def _limited(test: Any) -> Any:
    @functools.wraps(test)
    async def limited(*args: Any, **kwargs: Any) -> None:
        async with asyncio.timeout(TEST_SECONDS):
            await test(*args, **kwargs)

    return limited


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test starts a process only if it was known to."""
    with guard.over(item):
        return (yield)


# What a test finds, and leaves behind.


@pytest.fixture(scope="session", autouse=True)
def _application() -> None:
    """Load the site before the first test: Django sets up logging with it, under the eyes of whoever captures it."""
    get_default_application()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Wait for no disk: what a test stores is gone with it. Servers of tests have a database as in production."""
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database, emptied in a quick way after each test."""
    with django_db_blocker.unblock(), quick_flush():
        models: tuple[Any, ...] = (*kinds(), Group)
        for model in models:  # a new site has some; a test makes its own
            model._default_manager.all().delete()
        yield


@pytest.fixture(autouse=True)
def _tidy(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close what sockets opened, so that the test's database can be emptied and no warning comes late."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("_tidy_loop")
    yield
    close_threads()
    cache.clear()  # failed logins are counted there


@pytest.fixture
async def _tidy_loop() -> AsyncIterator[None]:
    yield
    await tidy()


@pytest.fixture(autouse=True)
def _no_position_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test sees repaired was not found by a check that came along; tests of the checks ask for them."""
    monkeypatch.setattr(fanout, "CHECK_SECONDS", 3600.0)


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


# The cast.


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
def staff(root: User) -> Client:
    """Root's browser."""
    browser = Client()
    browser.force_login(root)
    return browser


@pytest.fixture
def helper(alice: User) -> Callable[..., Client]:
    """Alice's browser, who is staff and may do this and nothing else: `helper("view_room")`."""

    def allowed(*permissions: str) -> Client:
        User.objects.filter(pk=alice.pk).update(is_staff=True)
        alice.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        browser = Client()
        browser.force_login(alice)
        return browser

    return allowed


@pytest.fixture
def moderators(db: None) -> Group:
    """The group that `migrate` makes on a new site."""
    import_module("chat.migrations.0008_moderators").make(apps, SimpleNamespace(connection=connection))
    return Group.objects.get(name="Moderators")


@pytest.fixture
def mod(moderators: Group) -> User:
    """A moderator, who is no staff."""
    made = User.objects.create_user("mod", "mod@example.com", PASSWORD)
    made.groups.add(moderators)
    return made


@pytest.fixture
def mod_staff(mod: User) -> Client:
    """The browser of a moderator whom somebody made staff by hand."""
    mod.is_staff = True
    mod.save()
    browser = Client()
    browser.force_login(mod)
    return browser


@pytest.fixture
def vault(db: None) -> Room:
    """A room that is for nobody who is not named."""
    return Room.objects.create(name="vault", guest_access=AccessLevel.NONE, member_access=AccessLevel.NONE)


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


@pytest.fixture
def lobby(db: None) -> Room:
    """A room in which everybody may write, guests too."""
    return Room.objects.create(name="lobby", guest_access=AccessLevel.WRITE)


# The sites.


@pytest.fixture
def development(settings: Settings) -> None:
    """A site with DEBUG on; without this fixture tests are in production."""
    settings.DEBUG = True


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A Redis of the tests' own; a test finds it empty through `redis_site`."""
    with redis_server() as running:
        yield running


@pytest.fixture
async def redis_site(redis: RedisServer, settings: Settings) -> AsyncIterator[RedisServer]:
    """A site whose processes talk through Redis."""
    async with Redis.from_url(redis.url) as client:
        await client.flushall()
    settings.REDIS_URL = redis.url
    settings.CHANNEL_LAYERS = {"default": channel_layer(redis.url, "chorus")}
    yield redis
    await close_hub()
    await get_channel_layer().flush()  # closes its connections


@pytest.fixture
def reread(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A monkeypatch for the environment that realtime.conf reads."""
    _forget_conf()
    yield monkeypatch
    monkeypatch.undo()
    _forget_conf()


def _forget_conf() -> None:
    setting_changed.send(sender=None, setting="CHORUS_", value=None, enter=False)
