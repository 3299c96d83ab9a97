"""The settings as a whole: development with nothing set, production with all that it needs."""

from pathlib import Path

import pytest

from tests.config.environments import PRODUCTION, run, values


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


def test_production_believes_a_proxy_only_when_it_is_named(tmp_path: Path) -> None:
    assert values(tmp_path, "TRUSTED_PROXIES", **PRODUCTION) == [[]]
    assert values(tmp_path, "TRUSTED_PROXIES", TRUSTED_PROXIES="10.0.0.1", **PRODUCTION) == [["10.0.0.1"]]


@pytest.mark.parametrize("name", ["TRUSTED_PROXIES", "TRUSTED_HEADERS"])
def test_a_proxy_that_is_none_is_one_line(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, "manage.py", "check", **{name: "nobody"})
    assert done.stderr.startswith(f"{name}: expected ")
    assert done.stderr.count("\n") == 1


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


def test_a_misspelt_host_is_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "manage.py", "check", **{**PRODUCTION, "ALLOWED_HOSTS": "*"})
    assert done.returncode == 1
    assert done.stderr.startswith("ALLOWED_HOSTS: expected host names")
    assert done.stderr.count("\n") == 1


def test_keys_of_before_count(tmp_path: Path) -> None:
    assert values(tmp_path, "SECRET_KEY_FALLBACKS") == [[]]
    assert values(tmp_path, "SECRET_KEY_FALLBACKS", SECRET_KEY_FALLBACKS="old, older") == [["old", "older"]]


def ask(tmp_path: Path, *asked: str, **env: str) -> list[str]:
    """What a new site's shell prints for these, after `migrate`."""
    for arguments in (["migrate", "-v0"], ["shell", "-v0", "-c", "\n".join(asked)]):
        done = run(tmp_path, "manage.py", *arguments, **env)
        assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


SHOW = [
    "from chat.models import Room; from counter.models import Counter",
    "print([(s.name, s.guest_access, s.member_access) for m in (Room, Counter) for s in m.objects.all()])",
]


@pytest.mark.parametrize(("env", "guests"), [(PRODUCTION, "read"), ({}, "write")])
def test_a_new_site_has_what_its_pages_lead_to_and_what_is_deleted_stays_deleted(
    tmp_path: Path, env: dict[str, str], guests: str
) -> None:
    assert ask(tmp_path, *SHOW, **env) == [str([("lobby", guests, "write"), ("default", guests, "write")])]
    delete = "[m.objects.all().delete() for m in (Room, Counter)]"
    assert ask(tmp_path, SHOW[0], delete, **env) == []
    assert ask(tmp_path, *SHOW, **env) == ["[]"]
