"""What a server refuses to start with."""

import argparse
from pathlib import Path

import pytest
from django.core.management import CommandError
from pytest_django import Settings

from config import certificate
from realtime.server.options import Options, check_options, port_number


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """A certificate and its key in one file."""
    path = tmp_path / "localhost.pem"
    certificate.write(path)
    return path


# What it refuses.


@pytest.mark.usefixtures("development")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com"])  # noqa: S104
def test_development_is_not_for_the_network(host: str) -> None:
    with pytest.raises(CommandError, match="DEBUG is on: set DEBUG=0 for production, or CHORUS_DEV_LAN=1 for a"):
        check_options(Options(host=host))


@pytest.mark.usefixtures("development")
@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_development_is_for_this_machine(host: str) -> None:
    check_options(Options(host=host))


@pytest.mark.usefixtures("development")
def test_development_is_for_a_trusted_network_on_request(settings: Settings) -> None:
    settings.CHORUS_DEV_LAN = True
    check_options(Options(host="0.0.0.0"))  # noqa: S104


@pytest.mark.usefixtures("development")
def test_development_is_for_a_unix_socket(tmp_path: Path) -> None:
    check_options(Options(host="0.0.0.0", uds=tmp_path / "chorus.sock"))  # noqa: S104


def test_production_listens_anywhere() -> None:
    check_options(Options(host="0.0.0.0"))  # noqa: S104


def test_several_workers_need_a_layer_between_them(settings: Settings) -> None:
    with pytest.raises(CommandError, match="--workers 2 needs REDIS_URL"):
        check_options(Options(workers=2))
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}}
    check_options(Options(workers=2))


def test_a_site_without_a_layer_is_a_site_with_one_worker(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {}
    with pytest.raises(CommandError, match="needs REDIS_URL"):
        check_options(Options(workers=2))


def test_reloading_is_for_one_worker() -> None:
    with pytest.raises(CommandError, match="--reload works with one worker"):
        check_options(Options(workers=2, reload=True))


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no file .*/none\.pem"):
        check_options(Options(tls_cert=tmp_path / "none.pem"))


def test_a_key_alone_is_no_certificate(pem: Path) -> None:
    with pytest.raises(CommandError, match="--tls-key needs --tls-cert"):
        check_options(Options(tls_key=pem))


def test_a_file_without_a_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    with pytest.raises(CommandError, match=r"empty\.pem does not hold a certificate and its key"):
        check_options(Options(tls_cert=tmp_path / "empty.pem"))


def test_one_file_may_hold_certificate_and_key(pem: Path) -> None:
    check_options(Options(tls_cert=pem))
    check_options(Options(tls_cert=pem, tls_key=pem))


def test_uncollected_static_files_are_noticed_before_a_page_fails(tmp_path: Path, settings: Settings) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "config.static.ManifestStorage"}}
    with pytest.raises(CommandError, match=r"Run manage\.py collectstatic first"):
        check_options(Options())


@pytest.mark.parametrize("value", ["-1", "65536", "http", "", "8_000"])
def test_what_is_no_port_is_refused(value: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a port"):
        port_number(value)
