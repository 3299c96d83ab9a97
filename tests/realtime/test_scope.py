"""What a scope says: whose page it was, and whose address it is."""

import pytest
from pytest_django import Settings

from realtime.scope import client_address, own_origin


@pytest.mark.parametrize(
    ("host", "scheme", "origin"),
    [
        ("testserver", "ws", "http://testserver"),
        ("testserver:8000", "ws", "http://testserver:8000"),
        ("testserver:80", "ws", "http://testserver"),
        ("TestServer", "wss", "https://testserver"),
        ("testserver:443", "wss", "https://testserver"),
        ("testserver:443", "ws", "http://testserver:443"),
        ("evil.example", "ws", None),
        ("testserver@evil.example", "ws", None),
        ("", "ws", None),
    ],
)
def test_our_own_origin_is_how_the_client_reached_us(host: str, scheme: str, origin: str | None) -> None:
    assert own_origin({"scheme": scheme, "headers": [(b"host", host.encode())]}) == origin


@pytest.mark.parametrize(("peer", "origin"), [("10.0.0.1", "https://testserver"), ("10.0.0.2", "http://testserver")])
def test_only_a_trusted_proxy_says_that_it_was_https(peer: str, origin: str, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    headers = [(b"host", b"testserver"), (b"x-forwarded-proto", b"https")]
    assert own_origin({"scheme": "ws", "client": (peer, 1), "headers": headers}) == origin


# Addresses.

PROXIES = ["10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["1.1.1.1"], "192.0.2.1"),
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["1.1.1.1, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["1.1.1.1, 192.0.2.7, 10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["1.1.1.1", "192.0.2.7", "10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["10.0.0.3,10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [" , ,"], "10.0.0.1"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", ["unknown"], "unknown"),
        ("10.0.0.1", ["x" * 1000], "x" * 64),
    ],
)
def test_the_address_is_the_nearest_hop_that_is_no_proxy(
    peer: str, forwarded: list[str], address: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = PROXIES
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    assert client_address({"client": (peer, 50000), "headers": headers}) == address


@pytest.mark.parametrize("client", [None, ("", 0), [None, None]])
def test_a_client_on_a_unix_socket_has_no_address(client: object) -> None:
    assert client_address({"client": client, "headers": []}) == ""


def test_without_trusted_proxies_nobody_is_believed(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = []
    headers = [(b"x-forwarded-for", b"1.1.1.1")]
    assert client_address({"client": ("127.0.0.1", 1), "headers": headers}) == "127.0.0.1"
