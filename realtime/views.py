"""The home page and the console, over whatever routes the installed apps offer, and what the pages of streams share."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.views.decorators.http import require_safe

from realtime.access import Action, Identity, denial
from realtime.forms import NameForm
from realtime.hub.hub import connection_count
from realtime.routing import RouteInfo, registered
from realtime.streams.history import History
from realtime.streams.kinds import kinds
from realtime.streams.name import is_name
from realtime.streams.queries import may_make
from realtime.streams.stream import Stream

AnyStream = TypeVar("AnyStream", bound=Stream)

MAX_SHARED = 10_000
"""Characters of a frame that a shared console link fills in."""


def visitor_of(request: HttpRequest) -> Identity:
    """Who looks at a page: the same as on a socket opened from it."""
    if request.user.is_authenticated:
        return Identity.of_user(request.user)
    return Identity.of_guest(getattr(request, "guest_key", None))


def socket_origin(request: HttpRequest) -> str:
    """Where this site's sockets are, as the visitor reached it: `wss://chat.example.org`; routes have its path."""
    return f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}"


def here(route: str) -> str:
    """A route's address on this host: below the path that the site is at, as links are."""
    return get_script_prefix().rstrip("/") + route


def may(visitor: Identity, action: Action, stream: Stream) -> bool:
    """Tell whether a visitor may do this in a stream."""
    return denial(visitor, action, stream) is None


def may_make_here(request: HttpRequest, model: type[Stream]) -> bool:
    """Tell whether the visitor's first socket in a new stream makes it."""
    return may_make(model, request.user if request.user.is_authenticated else None)


def readable_or_404(request: HttpRequest, model: type[AnyStream], name: str) -> AnyStream:
    """The stream of that name; in development an unsaved one, which the visitor's socket will make.

    In production a page's socket makes none: anybody could lead somebody there who may, by a link.

    Raises Http404 for what is no name, where there is none of that name, and where the visitor may not read it.
    """
    if not is_name(name):
        raise Http404("no stream can have this name")
    found: AnyStream | None = model._default_manager.filter(name=name).first()
    if found is None and not settings.DEBUG:
        raise Http404("there is none of this name")
    found = found or model(name=name)
    if not may(visitor_of(request), "read", found):
        raise Http404("there is none of this name for this visitor")
    return found


def name_form(request: HttpRequest) -> NameForm:
    """The form that opens a stream by its name, as `?name=` fills it in."""
    return NameForm(request.GET if "name" in request.GET else None)


@require_safe
def list_page(request: HttpRequest, model: type[AnyStream], template: str = "realtime/streams.html") -> HttpResponse:
    """The streams that this visitor may read, and the form that opens one by its name."""
    form = name_form(request)
    if form.is_valid():
        return redirect(model(name=form.cleaned_data["name"]))
    streams = model._default_manager.readable_by(visitor_of(request))
    context = {
        "heading": model._meta.app_config.verbose_name,
        "kind": model._meta.verbose_name,
        "kinds": model._meta.verbose_name_plural,
        "streams": streams.with_said() if issubclass(model, History) else streams,
        "form": form,
        "may_make": may_make_here(request, model),
    }
    return render(request, template, context)


@require_safe
def stream_page(
    request: HttpRequest,
    model: type[AnyStream],
    name: str,
    template: str,
    *,
    route: str,
    more: Callable[[AnyStream], Mapping[str, Any]] = lambda _: {},
) -> HttpResponse:
    """The page of the stream of that name, which its visitor may read; its socket is at `route`, where {} is the name.

    In development its first socket makes one that is not there; else the page says who can. The template has it as
    `stream` and called as its model, what else a page of it asks for, and what `more` gives.
    Raises Http404 for what is no name.
    """
    if name != name.lower():
        return redirect(model(name=name.lower()))
    try:
        found = readable_or_404(request, model, name)
    except Http404:
        return missing_page(request, model, name)
    context = {
        "stream": found,
        str(model._meta.model_name): found,
        "heading": str(found),
        "kind": model._meta.verbose_name,
        "route": here(route.format(name)),
        "origin": socket_origin(request),
        "terminal": terminal(),
        "may_write": may(visitor_of(request), "write", found),
        "may_make": may_make_here(request, model),
    }
    return render(request, template, {**context, **more(found)})


def missing_page(request: HttpRequest, model: type[Stream], name: str) -> HttpResponse:
    """The page for what is not there, or not for this visitor: who makes it, and the way there for who may.

    Raises Http404 for what is no name.
    """
    if not is_name(name):
        raise Http404("no stream can have this name")
    makes = request.user.is_staff and may_make_here(request, model) if request.user.is_authenticated else False
    context = {
        "name": name,
        "kind": model._meta.verbose_name,
        "kinds": model._meta.verbose_name_plural,
        "make_url": make_url(model, name) if makes else "",
    }
    return render(request, "realtime/missing.html", context, status=404)


def make_url(model: type[Stream], name: str) -> str:
    """Admin's form for a new stream with that name filled in; "" where there is none."""
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add", query={"name": name})
    except NoReverseMatch:
        return ""


def terminal() -> str:
    """The command that speaks WebSocket in a terminal: the one `make run` installed, or anybody's own."""
    return ".venv/bin/websockets" if settings.DEBUG else "websockets"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What runs here, each route with its address, and live numbers."""
    context = {
        "routes": routes_here(),
        "origin": socket_origin(request),
        "terminal": terminal(),
        "numbers": labelled(numbers()),
    }
    return render(request, "realtime/home.html", context)


@require_safe
def console(request: HttpRequest) -> HttpResponse:
    """The console; `?route=` and `?send=` fill it in, and only the visitor sends."""
    routes = routes_here()
    context = {
        "routes": routes,
        "route_data": [asdict(route) for route in routes],
        "origin": socket_origin(request),
        "route": request.GET.get("route") or (routes[0].path if routes else here("/ws/")),
        "send": request.GET.get("send", "")[:MAX_SHARED],
    }
    return render(request, "realtime/console.html", context)


def refused_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Instead of a form that Django's CSRF check refuses, for the reason that is logged; for CSRF_FAILURE_VIEW."""
    from_elsewhere = "does not match any trusted origins" in reason
    return render(request, "realtime/refused_form.html", {"from_elsewhere": from_elsewhere}, status=403)


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """For what asks for an icon without reading the page, such as Django's admin."""
    return redirect(static("realtime/icon.svg"), permanent=True)


def routes_here() -> list[RouteInfo]:
    """What the pages say of each route, with its address on this host."""
    return [replace(route, path=here(route.path)) for route in registered()]


def numbers() -> dict[str, int]:
    """Sockets open in this process; of each kind of stream that anybody may read, how many, and how much is in them.

    In a history that is what may be read there; elsewhere, how often something was changed.
    """
    found = {"connections": connection_count()}
    for kind in kinds():
        readable = kind._default_manager.readable_by(Identity.of_guest())
        found[_plural(kind)] = readable.count()
        if issubclass(kind, History):
            entries = readable.with_said().aggregate(total=Sum("said"))["total"]
        else:
            entries = readable.aggregate(total=Sum("last_seq"))["total"]
        found[_plural(kind.entry_model)] = entries or 0
    return found


def labelled(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The numbers with what they count: `one` of it, and `many`."""
    nouns = {_plural(model): str(model._meta.verbose_name) for kind in kinds() for model in (kind, kind.entry_model)}
    nouns["connections"] = "connection"
    return [{"name": name, "value": value, "one": nouns[name], "many": name} for name, value in counts.items()]


def _plural(model: Any) -> str:
    return str(model._meta.verbose_name_plural)


@cache
def version() -> str:
    """The version in pyproject.toml, or `unknown` where the app was taken into another project."""
    try:
        project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    except OSError:
        return "unknown"
    return str(project.get("project", {}).get("version", "unknown"))
