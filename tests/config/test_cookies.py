"""Where cookies count."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import set_script_prefix

from config.cookies import cookies_under_prefix


@pytest.fixture
def _under_a_path() -> Iterator[None]:
    set_script_prefix("/chorus")
    yield
    set_script_prefix("/")


def answer(request: HttpRequest) -> HttpResponse:
    """An answer with three cookies."""
    response = HttpResponse()
    response.set_cookie("one", "1")
    response.set_cookie("two", "2", path="/admin/")
    response.delete_cookie("three")
    return response


async def answer_async(request: HttpRequest) -> HttpResponse:
    """The same, awaited."""
    return answer(request)


async def paths() -> list[dict[str, str]]:
    """The cookies' paths, as synchronous and asynchronous servers send them."""
    now, later = cookies_under_prefix(answer), cookies_under_prefix(answer_async)
    found: list[Any] = [now(HttpRequest()), await later(HttpRequest())]  # type: ignore[misc]
    return [{name: cookie["path"] for name, cookie in each.cookies.items()} for each in found]


@pytest.mark.usefixtures("_under_a_path")
async def test_they_count_below_the_site_s_path() -> None:
    assert await paths() == [{"one": "/chorus", "two": "/admin/", "three": "/chorus"}] * 2


async def test_without_a_path_they_count_everywhere() -> None:
    assert await paths() == [{"one": "/", "two": "/admin/", "three": "/"}] * 2
