"""Cookies in several headers."""

from typing import Any

import pytest
from django.core.handlers.asgi import ASGIRequest

from realtime.cookies import joined_cookies

HOST = (b"host", b"testserver")


async def cookies(*headers: tuple[bytes, bytes]) -> dict[str, str]:
    """The cookies that Django reads."""
    found: dict[str, str] = {}

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        request = ASGIRequest({"method": "GET", "path": "/", **scope}, None)  # type: ignore[arg-type]
        found.update(request.COOKIES)
        assert request.headers["Host"] == "testserver"

    scope = {"type": "http", "headers": [HOST, *headers]}
    await joined_cookies(application)(scope, None, None)  # type: ignore[arg-type]  # neither is used
    assert scope["headers"] == [HOST, *headers]
    return found


@pytest.mark.parametrize(
    "sent", [[b"a=1; b=2; c=3"], [b"a=1", b"b=2", b"c=3"], [b"a=1; b=2", b"c=3"], [b"a=1;", b"b=2; c=3"]]
)
async def test_cookies_are_the_same_in_however_many_headers(sent: list[bytes]) -> None:
    assert await cookies(*[(b"cookie", each) for each in sent]) == {"a": "1", "b": "2", "c": "3"}


async def test_without_any_there_are_none() -> None:
    assert await cookies() == {}
