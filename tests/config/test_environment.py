"""Values from the environment: what is accepted, and how a wrong one is named."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from redis.asyncio.connection import Connection, ConnectionPool, SSLConnection

from config import environment


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A monkeypatch for the variable X."""
    monkeypatch.delenv("X", raising=False)
    return monkeypatch


@pytest.mark.parametrize(("value", "meaning"), [("1", True), ("yes", True), (" OFF ", False), ("0", False)])
def test_a_switch_is_said_in_many_ways(given: pytest.MonkeyPatch, value: str, meaning: bool) -> None:
    given.setenv("X", value)
    assert environment.switch("X", default=not meaning) is meaning


def test_a_variable_set_to_nothing_is_not_set(given: pytest.MonkeyPatch) -> None:
    given.setenv("X", "")
    assert environment.switch("X", default=True) is True
    assert environment.number("X", default=4) == 4
    assert environment.names("X") == []


def test_a_wrong_switch_names_the_variable_and_what_was_expected(given: pytest.MonkeyPatch) -> None:
    given.setenv("X", "maybe")
    with pytest.raises(ImproperlyConfigured, match=r"^X: expected 1 or 0, got 'maybe'\.$"):
        environment.switch("X", default=True)


def test_a_wrong_number_is_refused(given: pytest.MonkeyPatch) -> None:
    for value in ("-3", "9" * 5000):
        given.setenv("X", value)
        with pytest.raises(ImproperlyConfigured, match="X: expected a whole number"):
            environment.number("X", default=1)


def test_a_list_is_separated_by_commas(given: pytest.MonkeyPatch) -> None:
    given.setenv("X", "a.example, b.example,")
    assert environment.names("X") == ["a.example", "b.example"]


def test_origins_are_written_as_browsers_send_them(given: pytest.MonkeyPatch) -> None:
    given.setenv("X", "HTTPS://Example.com:443,http://localhost:3000,http://[::1]:80")
    assert environment.origins("X") == ["https://example.com", "http://localhost:3000", "http://[::1]"]


@pytest.mark.parametrize(
    "value",
    [
        "example.com",
        "https://example.com/",
        "https://*.example.com",
        "ftp://example.com",
        "https://a:port",
        "null",
        "https://a b.example",
        "https://ä.example",
        "https://a..example",
        "https://.example.com",
        "https://example.com:",
        "https://example.com#",
        "https://@example.com",
        "https://example.com%20",
    ],
)
def test_what_is_no_full_origin_is_refused(given: pytest.MonkeyPatch, value: str) -> None:
    given.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match="X: expected origins such as"):
        environment.origins("X")


def test_proxies_are_addresses_networks_or_a_unix_socket(given: pytest.MonkeyPatch) -> None:
    given.setenv("X", "10.0.0.5,10.1.0.0/16,::1, Unix")
    assert environment.proxies("X") == ["10.0.0.5", "10.1.0.0/16", "::1", "unix"]
    given.setenv("X", "10.0.0.5,proxy.example")
    with pytest.raises(ImproperlyConfigured, match=r"X: expected addresses or networks .* got 'proxy\.example'\.$"):
        environment.proxies("X")


def test_forwarding_headers_are_those_that_are_read(given: pytest.MonkeyPatch) -> None:
    assert environment.forwarding("X") == ["x-forwarded-for", "x-forwarded-proto"]
    given.setenv("X", "Forwarded, X-Forwarded-Prefix")
    assert environment.forwarding("X") == ["forwarded", "x-forwarded-prefix"]
    given.setenv("X", "X-Real-IP")
    with pytest.raises(ImproperlyConfigured, match=r"X: expected some of X-Forwarded-For, .* got 'x-real-ip'\.$"):
        environment.forwarding("X")


def test_one_header_says_who_the_client_is(given: pytest.MonkeyPatch) -> None:
    given.setenv("X", "Forwarded,X-Forwarded-For")
    with pytest.raises(ImproperlyConfigured, match=r"X: expected Forwarded or X-Forwarded-For, .*, got both\.$"):
        environment.forwarding("X")


def test_a_database_keeps_what_its_query_says(given: pytest.MonkeyPatch) -> None:
    given.setenv("X", "postgres://u:p%40ss@db:5433/chorus?sslmode=require")
    config = environment.database("X")
    assert (config["HOST"], config["PORT"], config["NAME"]) == ("db", 5433, "chorus")
    assert config["PASSWORD"] == "p@ss"
    assert config["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(
    "value",
    [
        "mysql://u:secret@db/chorus",
        "postgres://u:secret@db:port/chorus",
        "postgres://u:secret@db",
        "sqlite://",
        "sqlite://:memory:",
        "chorus",
    ],
)
def test_a_wrong_database_is_refused_without_its_password(given: pytest.MonkeyPatch, value: str) -> None:
    given.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match="X: expected postgres://") as refused:
        environment.database("X")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("value", ["redis://r:6379", "rediss://:pw@r:6379/1", "unix:///run/redis.sock"])
def test_redis_has_three_kinds_of_address(given: pytest.MonkeyPatch, value: str) -> None:
    given.setenv("X", value)
    assert environment.redis("X", needed=True) == value


def test_no_redis_has_to_be_said_where_it_is_needed(given: pytest.MonkeyPatch) -> None:
    assert environment.redis("X", needed=False) == ""
    with pytest.raises(ImproperlyConfigured, match=r"X: expected redis://.*, got nothing"):
        environment.redis("X", needed=True)
    given.setenv("X", "memory://")
    assert environment.redis("X", needed=True) == ""


def test_a_wrong_redis_is_refused_without_its_password(given: pytest.MonkeyPatch) -> None:
    given.setenv("X", "http://:secret@redis")
    with pytest.raises(ImproperlyConfigured, match="X: expected redis://") as refused:
        environment.redis("X", needed=False)
    assert "secret" not in str(refused.value)


def test_hosts_are_names_and_addresses(given: pytest.MonkeyPatch) -> None:
    value = "chat.example.com, .Example.org,localhost,127.0.0.1,[::1],chat_1"
    given.setenv("X", value)
    assert environment.hosts("X", star=False) == [host.strip() for host in value.split(",")]


@pytest.mark.parametrize(
    "value",
    [
        "chat.example.org:8443",
        "https://chat.example.org",
        "chat.example.org/",
        "a.example.org b.example.org",
        "*.example.org",
        "*",
        "a..b",
        "ä.example",
        "[::1]:80",
        "[:::]",
        ".[::1]",
    ],
)
def test_what_no_host_header_can_name_is_refused(given: pytest.MonkeyPatch, value: str) -> None:
    given.setenv("X", f"good.example,{value}")
    with pytest.raises(ImproperlyConfigured, match=r"X: expected host names such as chat\.example\.com"):
        environment.hosts("X", star=False)


def test_a_star_is_for_development(given: pytest.MonkeyPatch) -> None:
    given.setenv("X", "*")
    assert environment.hosts("X", star=True) == ["*"]


@pytest.mark.parametrize(
    ("value", "option"),
    [
        ("postgres://u:secret@db/chorus?sslmod=require", "sslmod"),
        ("postgres://u:secret@db/chorus?SSLMODE=require", "SSLMODE"),
        ("postgres://u:secret@db/chorus?conn_max_age=60", "conn_max_age"),
        ("postgres://u:secret@db/chorus?ATOMIC_REQUESTS=1", "ATOMIC_REQUESTS"),
        ("sqlite:////tmp/x.sqlite3?timeout=5", "timeout"),
    ],
)
def test_an_unknown_option_of_a_database_is_named(given: pytest.MonkeyPatch, value: str, option: str) -> None:
    given.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match=f"X: expected .* options .* got '{option}'") as refused:
        environment.database("X")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "option"),
    [
        ("redis://:secret@r?socket_timout=5", "socket_timout"),
        ("redis://:secret@r?ssl_cert_reqs=none", "ssl_cert_reqs"),
        ("unix:///run/redis.sock?dbs=", "dbs"),
    ],
)
def test_an_unknown_option_of_redis_is_named(given: pytest.MonkeyPatch, value: str, option: str) -> None:
    given.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match=f"X: expected .* options .* got '{option}'") as refused:
        environment.redis("X", needed=True)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("value", ["postgres://u:secret@db/chorus?sslmode", "postgres://u:secret@db/chorus?sslmode="])
def test_an_option_has_a_value(given: pytest.MonkeyPatch, value: str) -> None:
    given.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match="X: expected a value of sslmode, got nothing"):
        environment.database("X")


def test_what_stands_behind_a_hash_is_no_part_of_an_address(given: pytest.MonkeyPatch) -> None:
    given.setenv("X", "redis://:secret@r/1#2")
    with pytest.raises(ImproperlyConfigured, match="X: expected no # in the address"):
        environment.redis("X", needed=True)


@pytest.mark.parametrize(
    "value",
    [
        *("redis://:secret@r:port", "redis://:secret@r:99999", "redis://:secret@r/one", "redis://:secret@r/-1"),
        *("redis://:secret@r/1/2", "redis://:secret@r,redis://s", "redis://:secret@r?socket_timeout=soon"),
        *("redis://:secret@r?protocol=9", "rediss://:secret@r?ssl_cert_reqs=perhaps", "redis://:sec/ret@r"),
    ],
)
def test_what_redis_would_not_take_is_refused_before_anybody_connects(given: pytest.MonkeyPatch, value: str) -> None:
    given.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match="X: expected redis://") as refused:
        environment.redis("X", needed=True)
    assert "sec" not in str(refused.value)


def test_options_of_redis_are_taken(given: pytest.MonkeyPatch) -> None:
    for value in ("redis://r?db=3&socket_timeout=2.5&client_name=chat", "rediss://r?ssl_cert_reqs=none&protocol=3"):
        given.setenv("X", value)
        assert environment.redis("X", needed=True) == value
        scheme = value.partition(":")[0]
        pool = ConnectionPool.from_url(value)
        assert isinstance(
            pool.connection_class(**pool.connection_kwargs), {"redis": Connection, "rediss": SSLConnection}[scheme]
        )
