"""Where this site keeps things: its directory, its secret key in development, its database, and its channel layer."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from config import environment
from realtime.conf import Conf


def usable(data_dir: Path) -> Path:
    """DATA_DIR, made on first use: a production site with its data elsewhere needs none."""
    with suppress(OSError):
        data_dir.mkdir(parents=True, exist_ok=True)
    if not os.access(data_dir, os.W_OK):
        environment.refuse("DATA_DIR", "a directory that this user can write to", str(data_dir))
    return data_dir


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
        config = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(usable(data_dir) / "chorus.sqlite3")}
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = {
            "timeout": 5,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
        # A file, since tests use threads; of this process, since several may test at once.
        config["TEST"] = {"NAME": str(Path(config["NAME"]).with_name(f"test-{os.getpid()}.sqlite3"))}
    else:
        threads = environment.number("CHORUS_DB_THREADS", default=Conf.model_fields["db_threads"].default)
        pool = {"min_size": 1, "max_size": threads + 12, "timeout": 5}  # sockets; the journal and pages
        config["OPTIONS"] = {**config.get("OPTIONS", {}), "pool": pool}
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
