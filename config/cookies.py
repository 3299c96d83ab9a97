"""Where cookies count: on this site alone, which may share its host with others by a path of its own."""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix

Answer = Callable[[HttpRequest], HttpResponseBase]
AsyncAnswer = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


def cookies_under_prefix(get_response: Answer | AsyncAnswer) -> Answer | AsyncAnswer:
    """Middleware that gives each cookie for `/` the path that the request's site is at."""
    if iscoroutinefunction(get_response):

        async def serve_async(request: HttpRequest) -> HttpResponseBase:
            return _moved(await get_response(request))

        markcoroutinefunction(serve_async)
        return serve_async

    def serve(request: HttpRequest) -> HttpResponseBase:
        return _moved(cast("Answer", get_response)(request))

    return serve


cookies_under_prefix.sync_capable = cookies_under_prefix.async_capable = True  # type: ignore[attr-defined]


def _moved(response: HttpResponseBase) -> HttpResponseBase:
    path = get_script_prefix().rstrip("/")
    if path:
        for cookie in response.cookies.values():
            if cookie["path"] == "/":
                cookie["path"] = path
    return response
