"""The settings as a whole: development with nothing set, production with all that it needs."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BASE_DIR = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijk",
    "ALLOWED_HOSTS": "chat.example.com",
    "REDIS_URL": "redis://localhost",
}


def run(data_dir: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project with this environment and no other."""
    clean = {"PATH": os.environ["PATH"], "DATA_DIR": str(data_dir), **env}
    return subprocess.run(
        [sys.executable, *arguments], cwd=BASE_DIR, env=clean, capture_output=True, text=True, check=False
    )


def values(data_dir: Path, *names: str, **env: str) -> list[Any]:
    """What these settings are in that environment."""
    wanted = ", ".join(f"settings.{name}" for name in names)
    code = f"import json; from config import settings; print(json.dumps([{wanted}]))"
    done = run(data_dir, "-c", code, **env)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def test_nothing_set_is_development_with_a_key_that_stays(tmp_path: Path) -> None:
    debug, key, redis = values(tmp_path, "DEBUG", "SECRET_KEY", "REDIS_URL")
    assert (debug, redis) == (True, "")
    assert len(key) >= 50
    assert values(tmp_path, "SECRET_KEY") == [key]
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_only_its_owner_reads_the_key(tmp_path: Path) -> None:
    values(tmp_path, "SECRET_KEY")
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS", "REDIS_URL"])
def test_production_says_in_one_line_what_is_missing(tmp_path: Path, missing: str) -> None:
    done = run(tmp_path, "manage.py", "check", **{**PRODUCTION, missing: ""})
    assert done.returncode == 1
    assert done.stderr.startswith(f"{missing}: expected ")
    assert done.stderr.count("\n") == 1


def test_a_wrong_limit_is_one_line_too(tmp_path: Path) -> None:
    done = run(tmp_path, "manage.py", "check", CHORUS_MAX_TEXT="many")
    assert done.returncode == 1
    assert done.stderr.startswith("CHORUS_MAX_TEXT: ")
    assert done.stderr.count("\n") == 1


def test_the_deployment_check_finds_nothing_in_production(tmp_path: Path) -> None:
    done = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


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
    (databases,) = values(tmp_path, "DATABASES", DATABASE_URL=url, CHORUS_DB_THREADS="10")
    options = databases["default"]["OPTIONS"]
    assert options["pool"]["max_size"] >= 10 + 8
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


def test_production_believes_a_proxy_only_when_it_is_named(tmp_path: Path) -> None:
    assert values(tmp_path, "SECURE_PROXY_SSL_HEADER", **PRODUCTION) == [None]
    (header,) = values(tmp_path, "SECURE_PROXY_SSL_HEADER", TRUSTED_PROXIES="10.0.0.1", **PRODUCTION)
    assert header == ["HTTP_X_FORWARDED_PROTO", "https"]


def test_a_closed_network_may_speak_plain_http(tmp_path: Path) -> None:
    names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS")
    assert all(values(tmp_path, *names, **PRODUCTION))
    assert not any(values(tmp_path, *names, HTTPS="0", **PRODUCTION))


def test_a_trusted_network_may_use_any_name_of_a_development_machine(tmp_path: Path) -> None:
    assert values(tmp_path, "ALLOWED_HOSTS", CHORUS_DEV_LAN="1") == [["*"]]
    assert values(tmp_path, "ALLOWED_HOSTS", CHORUS_DEV_LAN="1", **PRODUCTION) == [["chat.example.com"]]


def test_without_django_the_way_to_install_it_is_shown(tmp_path: Path) -> None:
    done = run(tmp_path, "-S", "manage.py", "check")
    assert done.stderr == "Run make install first, then .venv/bin/python manage.py …\n"
    assert done.returncode == 1
