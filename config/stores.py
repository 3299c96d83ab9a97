"""Where this site keeps things: its directory, its secret key in development, its database, and its channel layer."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from config import environment
from realtime.conf import Conf, variable

OURS = Path(__file__).resolve().parent.parent / "var"
"""DATA_DIR unless another is set."""
SQLITE = "chorus.sqlite3"
"""The database in it, unless DATABASE_URL names another."""


def usable(data_dir: Path) -> Path:
    """DATA_DIR, made on first use: a production site with its data elsewhere needs none.

    What is made here is for this user alone; a directory that was there keeps its mode, unless it is `var/`.
    """
    with suppress(OSError):
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        data_dir.mkdir(mode=0o700, exist_ok=True)
        if data_dir == OURS:
            data_dir.chmod(0o700)
    if not os.access(data_dir, os.W_OK):
        environment.refuse("DATA_DIR", "a directory that this user can write to", str(data_dir))
    return data_dir


def private(path: Path) -> Path:
    """A database file that its owner alone reads, with those that SQLite keeps beside it, as far as they are there."""
    with suppress(OSError):
        for each in path.parent.glob(f"{path.name}*"):
            if stat.S_IMODE(each.stat().st_mode) != 0o600:
                each.chmod(0o600)
    return path


def keep_private(connection: Any, **_: Any) -> None:
    """SQLite has made its file in DATA_DIR by now; for Django's signal connection_created."""
    path = Path(settings.DATA_DIR) / SQLITE
    if connection.vendor == "sqlite" and connection.settings_dict["NAME"] == str(path):
        private(path)


def development_secret_key(data_dir: Path) -> str:
    """A key made on first use and kept in DATA_DIR, so that sessions outlive a restart."""
    path = usable(data_dir) / "secret_key"
    if not path.exists():
        draft = path.with_name(f"secret_key.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            with suppress(FileExistsError):
                os.link(draft, path)  # of processes that start together, the first one's key stays
        except OSError:  # a file system without links
            draft.replace(path)
        draft.unlink(missing_ok=True)
    return path.read_text()


def database(data_dir: Path) -> dict[str, Any]:
    """DATABASE_URL for Django: PostgreSQL with a pool, or SQLite that waits for its lock and syncs."""
    if environment.text("DATABASE_URL"):
        config = environment.database("DATABASE_URL")
    else:
        config = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(private(usable(data_dir) / SQLITE))}
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = {
            "timeout": 5,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
        # A file, since tests use threads; of this process, since several may test at once.
        config["TEST"] = {"NAME": str(Path(config["NAME"]).with_name(f"test-{os.getpid()}.sqlite3"))}
    else:
        from psycopg import IsolationLevel

        threads = sum(
            environment.number(variable(field), default=Conf.model_fields[field].default)
            for field in ("db_threads", "history_threads")
        )
        pool = {"min_size": 1, "max_size": threads + 12, "timeout": 5}  # sockets; the journal and pages
        # Whatever the role's default is: under another, what waited for a row's lock fails instead of going on.
        fixed = {"pool": pool, "isolation_level": IsolationLevel.READ_COMMITTED}
        config["OPTIONS"] = {**config.get("OPTIONS", {}), **fixed}
        config["CONN_HEALTH_CHECKS"] = True
    return config


def channel_layer(redis_url: str, namespace: str) -> dict[str, Any]:
    """The layer that reaches every process, or without Redis the one that reaches only this one."""
    if not redis_url:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    from redis import exceptions
    from redis.asyncio.retry import Retry
    from redis.backoff import ExponentialBackoff

    host = {
        "address": redis_url,
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
        # Without these two the first publish after a restart of Redis fails.
        "retry": Retry(ExponentialBackoff(cap=1, base=0.05), retries=3),
        "retry_on_error": [exceptions.ConnectionError, exceptions.TimeoutError],
        "health_check_interval": 15,
    }
    return {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [host], "prefix": namespace},
    }
