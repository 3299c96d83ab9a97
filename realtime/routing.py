"""How an app tells the pages about its WebSocket routes: a tuple `ROUTES` in its routing module."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps


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


@cache
def registered() -> tuple[RouteInfo, ...]:
    """The routes of every installed app, in the order of INSTALLED_APPS."""
    found: list[RouteInfo] = []
    for app in apps.get_app_configs():
        name = f"{app.name}.routing"
        if app.name != "channels" and find_spec(name) is not None:
            found.extend(getattr(import_module(name), "ROUTES", ()))
    return tuple(found)
