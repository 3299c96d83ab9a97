"""Where an API is: its addresses, and what pages of other sites may ask there (the Fetch standard's CORS)."""

from collections.abc import Callable, Iterable, Mapping
from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, get_script_prefix, path, re_path
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI

from realtime.http.authentication import count_request
from realtime.http.replies import REFUSALS, reply_refusal
from realtime.http.requests import network_of
from realtime.protocol import Refused

METHODS = "GET, POST, DELETE"
HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID")
PREFIXES_KEPT = 8
"""Paths of the site for which ready answers are kept; a proxy says which it is."""
ANSWER = {"Access-Control-Expose-Headers": "Retry-After"}

View = Callable[..., Any]
"""An asynchronous view; Django's stubs know only the other kind."""


def mounted(api: NinjaAPI, headers: Iterable[str] = ()) -> tuple[list[URLPattern], str, str]:
    """What `path("api/", …)` takes: an API's addresses, each with and without the final slash.

    Pages of ALLOWED_ORIGINS may ask there, without cookies; with `headers` of the apps' own too. Whatever is refused
    is told in JSON.
    """
    preflight = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": ", ".join(sorted({*HEADERS, *headers})),
        "Access-Control-Max-Age": "600",
    }
    for kind in REFUSALS:
        api.add_exception_handler(kind, reply_refusal)  # type: ignore[arg-type]  # it is given instances
    patterns, app_name, namespace = api.urls
    found: list[URLPattern] = []
    for pattern in patterns:
        assert isinstance(pattern, URLPattern)
        view: View = pattern.callback
        if iscoroutinefunction(view):
            view = _open_to_others(view, preflight)
        else:  # the pages about the API
            view = _counted(_kept(view) if pattern.name == "openapi-json" else view)
        route = str(pattern.pattern)
        found.append(path(route, view, name=pattern.name))
        if route:
            found.append(path(route.removesuffix("/") if route.endswith("/") else f"{route}/", view))
    return [*found, re_path("", _open_to_others(_nothing, preflight))], app_name, namespace


def _counted(view: View) -> View:
    """A view that nobody logs in for, as often as anything else may be asked."""

    async def serve(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            count_request(network_of(request))
        except Refused as refusal:
            return reply_refusal(request, refusal)
        response: HttpResponseBase = await sync_to_async(view)(request, *args, **kwargs)
        return response

    return serve


def _kept(view: View) -> View:
    """A view that always answers the same at one path of the site, and is asked once for it."""
    kept: dict[str, tuple[bytes, str]] = {}

    def serve(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        prefix = get_script_prefix()
        found = kept.get(prefix)
        if found is None:
            response = view(request, *args, **kwargs)
            if len(kept) >= PREFIXES_KEPT:
                kept.clear()
            found = kept[prefix] = response.content, response["Content-Type"]
        content, content_type = found
        return HttpResponse(content, content_type=content_type)

    return serve


async def _nothing(request: HttpRequest, **_: Any) -> HttpResponse:
    if request.method == "OPTIONS":  # a browser would keep the answer to the request itself from its page
        return HttpResponse(status=204)
    try:
        count_request(network_of(request))
    except Refused as refusal:
        return reply_refusal(request, refusal)
    return reply_refusal(request, Refused("not_found", "There is nothing here."))


def _open_to_others(view: View, preflight: Mapping[str, str]) -> View:
    @csrf_exempt  # Authentication asks for the token where a cookie was used
    async def serve(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = await _answer(view, request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        patch_vary_headers(response, ["Origin"])
        if (origin := request.headers.get("Origin")) in settings.ALLOWED_ORIGINS:
            allowed = preflight if request.method == "OPTIONS" else ANSWER
            for name, value in {"Access-Control-Allow-Origin": origin, **allowed}.items():
                response[name] = value
        return response

    return serve


async def _answer(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    response: HttpResponseBase = await view(request, *args, **kwargs)
    if response.status_code == 405:
        allowed = response["Allow"]
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": allowed})
        response = reply_refusal(request, Refused("unsupported_action", f"Only {allowed} can be done here."))
        response["Allow"] = allowed
    return response
