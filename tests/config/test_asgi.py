"""What a proxy says of a client counts for pages too, from a trusted proxy only, and its own word only."""

import re
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings

from config.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)

PROXY, STRANGER = "10.0.0.1", "192.0.2.1"


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/24"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.USE_X_FORWARDED_HOST = True
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]


async def reached(peer: str | None, *headers: tuple[str, str]) -> set[str]:
    """Where the home page says that sockets are: what the site takes its own address for."""
    sent = [(b"host", b"testserver"), *((name.encode(), value.encode()) for name, value in headers)]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "query_string": b"",
        "headers": sent,
        "client": peer and (peer, 50000),
    }
    asked: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
    await asked.send_input({"type": "http.request"})
    assert (await asked.receive_output(10))["status"] == 200
    page: str = (await asked.receive_output(10))["body"].decode()
    await asked.wait(10)
    return set(re.findall(r"wss?://[a-z.]+", page))


PROTO = "x-forwarded-proto"


async def test_a_trusted_proxy_says_that_it_was_https() -> None:
    assert await reached(PROXY, (PROTO, "https")) == {"wss://testserver"}
    assert await reached(PROXY, (PROTO, "http")) == {"ws://testserver"}
    assert await reached(PROXY) == {"ws://testserver"}


@pytest.mark.parametrize("peer", [STRANGER, None])
@pytest.mark.parametrize("name", [PROTO, "X-Forwarded-Proto", "x_forwarded_proto"])
async def test_nobody_else_does(peer: str | None, name: str) -> None:
    assert await reached(peer, (name, "https")) == {"ws://testserver"}


@pytest.mark.parametrize("said", [["https", "http"], ["https,http"], ["https, http"]])
async def test_only_the_proxy_s_own_word_counts(said: list[str]) -> None:
    assert await reached(PROXY, *[(PROTO, value) for value in said]) == {"ws://testserver"}
    assert await reached(PROXY, *[(PROTO, value) for value in said], (PROTO, "https")) == {"wss://testserver"}


async def test_only_a_trusted_proxy_names_another_host() -> None:
    host = ("x-forwarded-host", "other.example")
    assert await reached(PROXY, host) == {"ws://other.example"}
    assert await reached(STRANGER, host) == {"ws://testserver"}
