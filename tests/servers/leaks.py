"""What a site leaves behind in its database, in Redis and in its logs, and the search for secrets in it."""

import json
import socket
import sqlite3
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

import psycopg
from django.contrib.sessions.serializers import JSONSerializer
from django.core import signing
from psycopg import sql
from redis import Redis

from tests.processes import SECRET_KEY, RedisServer, Server
from tests.servers.clients import Site, eventually

Places = Mapping[str, str]
"""All that is in a place, as text, by the name of the place."""


def forms(secret: str) -> set[str]:
    """How a secret may look where somebody wrote it down: as it is, quoted for an address, in base64 or hexadecimal."""
    raw = secret.encode()
    encoded = (b64encode(raw), urlsafe_b64encode(raw))
    return {secret, quote(secret), quote_plus(secret), raw.hex(), *(each.decode().rstrip("=") for each in encoded)}


def leaks(secrets: Mapping[str, str], places: Places) -> set[tuple[str, str]]:
    """Which secrets are in which places, by their names."""
    return {
        (name, place)
        for place, content in places.items()
        for name, secret in secrets.items()
        if any(form in content for form in forms(secret))
    }


def database(site: Site) -> str:
    """Every row of every table with sessions decoded; of SQLite also the bytes of its files, deleted rows and all."""
    rows = list(_postgres(site.env["DATABASE_URL"]) if "DATABASE_URL" in site.env else _sqlite(site))
    assert any("auth_user" in row for row in rows)
    sessions = [text for row in rows for text in _session(row)]
    files = [path.read_bytes().decode("latin-1") for path in site.data_dir.rglob("*") if path.is_file()]
    return "\n".join([*rows, *sessions, *files])


def _sqlite(site: Site) -> Iterator[str]:
    with closing(sqlite3.connect(site.data_dir / "chorus.sqlite3")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a table of ours
                yield json.dumps([table, *row], default=str, ensure_ascii=False)


def _postgres(url: str) -> Iterator[str]:
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            for row in connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))):
                yield json.dumps([table, *row], default=str, ensure_ascii=False)


def _session(row: str) -> Iterator[str]:
    """What is in a session: a row holds it compressed."""
    table, *values = json.loads(row)
    if table == "django_session":
        salt = "django.contrib.sessions.SessionStore"
        yield json.dumps(signing.loads(values[1], key=SECRET_KEY, salt=salt, serializer=JSONSerializer))


def redis_content(redis: RedisServer) -> str:
    """Every key with its value."""
    with Redis.from_url(redis.url) as client:
        return "\n".join(_text([key, *_value(client, key)]) for key in client.scan_iter())


def _value(client: Any, key: bytes) -> Iterable[Any]:
    read: dict[bytes, Callable[[], Iterable[Any]]] = {
        b"string": lambda: [client.get(key)],
        b"hash": lambda: [part for item in client.hgetall(key).items() for part in item],
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: client.smembers(key),
        b"zset": lambda: client.zrange(key, 0, -1),
        b"none": list,  # it has expired meanwhile
    }
    return read[client.type(key)]()


def _text(parts: Iterable[bytes]) -> str:
    return " ".join(part.decode("latin-1") for part in parts)


class Traffic:
    """All that anybody says to a Redis, as its MONITOR tells it."""

    def __init__(self, redis: RedisServer) -> None:
        self.redis = redis
        self._heard = bytearray()

    @property
    def text(self) -> str:
        """What was said so far."""
        return self._heard.decode("latin-1")

    async def all(self) -> str:
        """What was said until now."""
        with Redis.from_url(self.redis.url) as client:
            client.publish("the end of", str(len(self._heard)))
        await eventually(lambda: '"the end of"' in self.text)
        return self.text

    def listen(self, connection: socket.socket) -> None:
        """Listen until the connection ends."""
        while chunk := connection.recv(65536):
            self._heard += chunk


@contextmanager
def traffic(redis: RedisServer) -> Iterator[Traffic]:
    """Listen to a Redis."""
    heard = Traffic(redis)
    with socket.create_connection(("127.0.0.1", redis.port)) as connection:
        connection.sendall(b"MONITOR\r\n")
        assert connection.recv(5) == b"+OK\r\n"
        listener = threading.Thread(target=heard.listen, args=[connection])
        listener.start()
        try:
            yield heard
        finally:
            connection.shutdown(socket.SHUT_RDWR)
            listener.join()


async def left_behind(site: Site, heard: Traffic, *servers: Server) -> Places:
    """All of it."""
    return {
        "the database": database(site),
        "Redis": redis_content(site.redis),
        "Redis's traffic": await heard.all(),
        "the logs": "\n".join(server.log for server in servers),
    }
