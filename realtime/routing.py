"""How an app offers its WebSocket routes, in its routing module: as `websocket_urlpatterns`, and `ROUTES` for pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from django.apps import apps
from django.urls import URLPattern


@dataclass(frozen=True)
class RouteInfo:
    """What the home page and the console say of one route."""

    path: str
    """Where it is, as in `/ws/echo/`."""
    title: str
    summary: str
    """One sentence in plain words."""
    examples: tuple[str, ...] = ()
    """Frames worth sending first."""
    answers_pings: bool = False
    """Whether it speaks JSON, and so answers `{"action": "ping"}`: on a plain route others would read it."""


def registered() -> tuple[RouteInfo, ...]:
    """What the pages say of the routes of every installed app, in the order of INSTALLED_APPS.

    A routing module may have a function `offered`, which says of a route what is told of it as the site is set: what
    it is given, something else, or None where the route is switched off.
    """
    told = (getattr(module, "offered", _as_it_is)(route) for module, route in _all())
    return tuple(route for route in told if route is not None)


@cache
def _all() -> tuple[tuple[ModuleType, RouteInfo], ...]:
    return tuple((module, route) for module in _routing_modules() for route in getattr(module, "ROUTES", ()))


def _as_it_is(route: RouteInfo) -> RouteInfo | None:
    return route


def installed_routes() -> list[URLPattern]:
    """The `websocket_urlpatterns` of every installed app, in the order of INSTALLED_APPS: what a site serves."""
    return [route for module in _routing_modules() for route in getattr(module, "websocket_urlpatterns", ())]


def _routing_modules() -> Iterator[ModuleType]:
    for app in apps.get_app_configs():
        name = f"{app.name}.routing"
        if app.name != "channels" and find_spec(name) is not None:
            yield import_module(name)
