"""Where this site keeps things."""

import stat
from ast import literal_eval
from pathlib import Path

import pytest
from django.db import connection, transaction
from psycopg import IsolationLevel

from config import stores
from config.stores import private, usable
from tests.config.environments import PRODUCTION, run, values


def test_nothing_set_is_development_with_a_key_that_stays(tmp_path: Path) -> None:
    debug, key, redis = values(tmp_path, "DEBUG", "SECRET_KEY", "REDIS_URL")
    assert (debug, redis) == (True, "")
    assert len(key) >= 50
    assert values(tmp_path, "SECRET_KEY") == [key]
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_only_its_owner_reads_the_key(tmp_path: Path) -> None:
    values(tmp_path, "SECRET_KEY")
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


def test_what_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    look = "print({path.name: path.stat().st_mode & 0o777 for path in settings.DATA_DIR.iterdir()})"
    query = "from django.db import connection as c; c.cursor().execute('CREATE TABLE t (x)')"
    done = run(data, "manage.py", "shell", "-v0", "-c", f"from django.conf import settings; {query}; {look}")
    assert done.returncode == 0, done.stderr
    found = literal_eval(done.stdout)
    assert {"secret_key", "chorus.sqlite3", "chorus.sqlite3-wal"} <= set(found)
    assert set(found.values()) == {0o600}
    assert modes(data)["data"] == 0o700


def test_what_was_there_with_a_wider_mode_is_narrowed_and_no_other_s_directory(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for name in ("chorus.sqlite3", "chorus.sqlite3-wal", "other"):
        (tmp_path / name).touch(mode=0o644)
    private(usable(tmp_path) / "chorus.sqlite3")
    assert modes(tmp_path) == {
        tmp_path.name: 0o755,
        "chorus.sqlite3": 0o600,
        "chorus.sqlite3-wal": 0o600,
        "other": 0o644,
    }


def test_var_itself_is_narrowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setattr(stores, "OURS", tmp_path)
    usable(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_postgresql_runs_at_read_committed_whatever_the_role_says(tmp_path: Path) -> None:
    (databases,) = values(tmp_path, "DATABASES", DATABASE_URL="postgres://u:p@db/chorus")
    assert databases["default"]["OPTIONS"]["isolation_level"] == IsolationLevel.READ_COMMITTED


@pytest.mark.postgresql
def test_a_role_s_default_isolation_changes_nothing(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_isolation = 'serializable'")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("read committed",)
    with connection.cursor() as cursor:
        cursor.execute("RESET default_transaction_isolation")


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run(tmp_path / "file" / "data", "manage.py", "check")
    assert done.stderr.startswith("DATA_DIR: expected a directory that this user can write to")


def test_production_with_its_data_elsewhere_needs_no_data_directory(tmp_path: Path) -> None:
    env = {**PRODUCTION, "DATABASE_URL": "postgres://u:p@db/chorus"}
    values(tmp_path / "absent", "DATABASES", **env)
    assert not (tmp_path / "absent").exists()


def test_sqlite_is_set_up_to_keep_what_it_acknowledged(tmp_path: Path) -> None:
    (databases,) = values(tmp_path, "DATABASES")
    options = databases["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]
    assert "synchronous=FULL" in options["init_command"]


def test_the_pool_has_room_for_pages_beside_the_threads_of_sockets(tmp_path: Path) -> None:
    url = "postgres://u:p@db/chorus?sslmode=require"
    (databases,) = values(tmp_path, "DATABASES", DATABASE_URL=url, CHORUS_DB_THREADS="10", CHORUS_HISTORY_THREADS="5")
    options = databases["default"]["OPTIONS"]
    assert options["pool"]["max_size"] >= 10 + 5 + 8
    assert options["pool"]["timeout"] == 5
    assert options["sslmode"] == "require"
    assert databases["default"]["CONN_HEALTH_CHECKS"] is True


def test_redis_is_reached_with_retries_under_our_own_prefix(tmp_path: Path) -> None:
    code = (
        "from config.settings import CHANNEL_LAYERS as layers; config = layers['default']['CONFIG'];"
        "host, = config['hosts'];"
        "print(config['prefix'], host['address'], host['retry'].get_retries(), len(host['retry_on_error']))"
    )
    done = run(tmp_path, "-c", code, REDIS_URL="redis://r/5", CHORUS_NAMESPACE="staging")
    assert done.stdout == "staging redis://r/5 3 2\n"
