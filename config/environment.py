"""Values from the environment. A wrong one raises ImproperlyConfigured: which, and what was expected.

A variable that is set to nothing counts as not set. Nothing here repeats a password.
"""

import ipaddress
import os
import re
import warnings
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from realtime.addresses import UNIX
from realtime.peer import DEFAULT_TRUSTED, READABLE

SWITCH = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
SAID_BY_FORWARDED = frozenset({"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"})
DATABASE_FORMS = "postgres://user:password@host:5432/name or sqlite:////path/to/file"
REDIS_FORMS = "redis://host:6379 (also rediss:// and unix://), or memory:// for one worker without Redis"

HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.IGNORECASE)
REDIS_OPTIONS = frozenset(
    {
        *("db", "username", "password", "client_name", "protocol", "max_connections"),
        *("socket_timeout", "socket_connect_timeout", "socket_keepalive", "socket_read_size"),
        *("health_check_interval", "retry_on_timeout"),
    }
)
"""What may follow the question mark of a redis:// address."""
REDISS_OPTIONS = REDIS_OPTIONS | {
    *("ssl_ca_certs", "ssl_ca_path", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname"),
    *("ssl_ciphers", "ssl_keyfile", "ssl_min_version", "ssl_password"),
}


def refuse(name: str, expected: str, got: str = "nothing") -> NoReturn:
    """Stop start-up with one line."""
    raise ImproperlyConfigured(f"{name}: expected {expected}, got {got}.")


def text(name: str) -> str:
    """The variable without surrounding blanks; "" where it is not set."""
    return os.environ.get(name, "").strip()


def switch(name: str, *, default: bool) -> bool:
    """A yes or no: 1/0, true/false, yes/no, on/off."""
    value = text(name).lower()
    if not value:
        return default
    return SWITCH[value] if value in SWITCH else refuse(name, "1 or 0", repr(value))


def number(name: str, *, default: int) -> int:
    """A whole number from 0 on."""
    value = text(name)
    if not value:
        return default
    return int(value) if value.isdecimal() and len(value) < 19 else refuse(name, "a whole number", repr(value[:40]))


def names(name: str) -> list[str]:
    """A list separated by commas."""
    return [item.strip() for item in text(name).split(",") if item.strip()]


def hosts(name: str, *, star: bool) -> list[str]:
    """Host names as Django's ALLOWED_HOSTS takes them; `*` only where `star` says so."""
    expected = "host names such as chat.example.com or .example.com, separated by commas, without scheme or port"
    for item in names(name):
        if not (_is_host(item) or HOST.fullmatch(item.removeprefix(".")) or (star and item == "*")):
            refuse(name, expected, repr(item))
    return names(name)


def _is_host(item: str) -> bool:
    """Tell whether a Host header may name it; one of another alphabet is written there as xn--… (RFC 5890 §2.3.2.1)."""
    if not item.startswith("["):
        return HOST.fullmatch(item) is not None
    try:
        ipaddress.IPv6Address(item.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return item.endswith("]")


def origins(name: str) -> list[str]:
    """Full origins (RFC 6454: scheme, host, port), written as browsers send them."""
    return [_origin(name, item) for item in names(name)]


def _origin(name: str, item: str) -> str:
    expected = "origins such as https://example.com or http://localhost:3000, separated by commas"
    try:
        url = urlsplit(item.lower())
        port = url.port
    except ValueError:
        refuse(name, expected, repr(item))
    default_port = {"http": 80, "https": 443}.get(url.scheme)
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname or ""
    wanted = f"{url.scheme}://{host}"
    # Whatever else stands there (a path, a user, a lonely colon) no browser sends.
    if item.lower() not in {wanted, f"{wanted}:{port}"} or not _is_host(host.removesuffix(".")) or default_port is None:
        refuse(name, expected, repr(item))
    return wanted if port in {None, default_port} else f"{wanted}:{port}"


def proxies(name: str) -> list[str]:
    """IP addresses and networks, and `unix`."""
    found = [item.lower() for item in names(name)]
    for item in found:
        try:
            if item != UNIX:
                ipaddress.ip_network(item, strict=False)
        except ValueError:
            refuse(name, "addresses or networks such as 10.0.0.5,10.1.0.0/16, or unix for a unix socket", repr(item))
    return found


def forwarding(name: str) -> list[str]:
    """Headers in which proxies say whom they speak for."""
    found = [item.lower() for item in names(name)] or [item.lower() for item in DEFAULT_TRUSTED]
    known = {item.lower() for item in READABLE}
    for item in found:
        if item not in known:
            refuse(name, f"some of {', '.join(READABLE)}", repr(item))
    if "forwarded" in found and SAID_BY_FORWARDED & {*found}:
        refuse(name, "Forwarded or X-Forwarded-For, -Proto and -Host, which say the same", "both")
    return found


def database(name: str) -> dict[str, Any]:
    """A database's address as Django's dictionary, with what its query says under OPTIONS."""
    url = text(name)
    scheme, separator, _ = url.partition("://")
    if scheme not in {"postgres", "postgresql", "sqlite"} or not separator:
        refuse(name, DATABASE_FORMS, f"something that begins with {scheme[:12]!r}")
    try:
        with warnings.catch_warnings(action="error"):
            config: dict[str, Any] = environ.Env.db_url_config(url)
    except (ValueError, Warning):
        refuse(name, DATABASE_FORMS, f"a {scheme} address that is none")
    if config["NAME"] in {"", ":memory:"}:  # each thread would have an empty database of its own in memory
        refuse(name, DATABASE_FORMS, f"a {scheme} address without a name")
    known = _libpq_options() if scheme != "sqlite" else frozenset[str]()
    _check_options(name, scheme, url, known)
    return config


def _libpq_options() -> frozenset[str]:
    from psycopg.pq import Conninfo

    return frozenset(option.keyword.decode() for option in Conninfo.get_defaults())


def _check_options(name: str, scheme: str, url: str, known: Collection[str]) -> None:
    """A misspelt option would be ignored, or fail when somebody first connects; so would one without a value."""
    address = urlsplit(url)
    for option, values in parse_qs(address.query, keep_blank_values=True).items():
        if option not in known:
            close = get_close_matches(option, known, n=1)
            some = f"{scheme} options such as {close[0]}" if close else f"{scheme} options that exist"
            refuse(name, f"{some} after the question mark", repr(option[:40]))
        if not all(values):
            refuse(name, f"a value of {option}")
    if address.fragment:
        refuse(name, "no # in the address (in a password it is %23)", "one")


def redis(name: str, *, needed: bool) -> str:
    """Redis's address; "" for none, which has to be said as memory:// where Redis is needed."""
    url = text(name)
    if url == "memory://" or not (url or needed):
        return ""
    if not url:
        refuse(name, REDIS_FORMS)
    scheme, _, rest = url.partition("://")
    if scheme not in {"redis", "rediss", "unix"} or not rest:
        refuse(name, REDIS_FORMS, f"something that begins with {scheme[:12]!r}")
    _check_options(name, scheme, url, REDISS_OPTIONS if scheme == "rediss" else REDIS_OPTIONS)
    _check_redis(name, scheme, url)
    return url


def _check_redis(name: str, scheme: str, url: str) -> None:
    """Make a connection of it, which opens nothing yet."""
    from redis import ConnectionPool, RedisError

    try:
        if scheme != "unix" and not re.fullmatch(r"(/[0-9]{0,5})?", urlsplit(url).path):
            raise ValueError("another database number would be 0")  # noqa: TRY301
        pool = ConnectionPool.from_url(url)
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, RedisError) as error:
        option = re.match(r"Invalid value for '\w+'", str(error))  # what else it says may hold a part of a password
        refuse(name, REDIS_FORMS, option[0].lower() if option else f"a {scheme} address that is none")
