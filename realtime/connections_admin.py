"""Admin's page of open connections: who is connected where, and the ways to end that. It updates itself."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from realtime.connections.control import BY_MODERATOR
from realtime.connections.report import Overview, Row, Wanted
from realtime.connections.sight import Sight
from realtime.connections_csv import connections_csv, titles_of
from realtime.models import Connection
from realtime.streams.key import split_key
from realtime.streams.stream import Stream
from realtime.words import counted

Addresses = Callable[[Row], Iterable[str]]


class Offer(NamedTuple):
    """Something to do about a connection: its label, who may do it, and where each row has it done."""

    label: str
    permission: str
    addresses: Addresses


offers: list[Offer] = []
"""What apps offer to do."""


def offer(label: str, permission: str) -> Callable[[Addresses], Addresses]:
    """Offer an act on the page of connections: the decorated function gives the pages where it is done to a row."""

    def register(addresses: Addresses) -> Addresses:
        offers.append(Offer(label, permission, addresses))
        return addresses

    return register


class Chosen:
    """What an address chooses among connections: by `connection`, `user`, `token` or `stream`, and by a text `q`.

    `token` and `stream` are keys such as `accounts.token:5` and `chat.room:5`, `user` is a primary key.
    """

    def __init__(self, query: QueryDict) -> None:
        found = {name: str(query.get(name) or "") for name in ("connection", "user", "token", "stream")}
        self.query = {name: value for name, value in found.items() if value}
        self.text = str(query.get("q") or "").strip()[:200]

    @property
    def wanted(self) -> Wanted:
        """The same for realtime.connections.control."""
        return Wanted({**self.query, **self._token}, self.text)

    @property
    def _token(self) -> dict[str, str]:
        return {"token": split_key(self.query["token"])[1]} if "token" in self.query else {}

    @property
    def target(self) -> Any:
        """The user, token, stream or connection that it chooses; None unless it is one that exists."""
        if len(self.query) != 1:
            return None
        [(kind, value)] = self.query.items()
        match kind:
            case "connection":
                return Connection(pk=value[:16])
            case "user":
                return by_pk(get_user_model(), value)
            case "token":
                return by_key(value, _is_token)
            case _:
                return by_key(value, lambda model: issubclass(model, Stream))


def _is_token(model: Any) -> bool:
    """Tell whether these are realtime.access.Credential."""
    return hasattr(model, "allows") and hasattr(model, "seconds_left")


def by_key(key: str, allowed: Callable[[type[Model]], bool]) -> Any:
    """What a key such as `chat.room:5` names, if that is of an allowed kind; None if there is none."""
    label, pk = split_key(key)
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        return None
    return by_pk(model, pk) if allowed(model) else None


def by_pk(model: Any, pk: str) -> Any:
    """The row with a primary key that came as text; None if there is none."""
    try:
        return model._default_manager.filter(pk=pk).first()
    except (ValueError, OverflowError, ValidationError):
        return None


class ConnectionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # only the stubs take one
    """Open sockets. Nothing is stored, so there is neither a form nor a list from the database."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People connect themselves."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """There is nothing to change."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Moderators see those in their streams."""
        return Sight(request.user).is_any

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever sees any."""
        return Sight(request.user).is_any or super().has_module_permission(request)

    def get_urls(self) -> list[URLPattern]:
        """The page, what it asks for every few seconds, and the question before a disconnect."""
        view, name = self.admin_site.admin_view, "realtime_connection_{}".format
        return [
            path("", view(self.page), name=name("changelist")),
            path("data/", view(self.data), name=name("data")),
            path("export/", view(self.export_view), name=name("export")),
            path("disconnect/", view(self.disconnect_view), name=name("disconnect")),
        ]

    def page(self, request: HttpRequest) -> HttpResponse:
        """Who is connected; the rows come by script."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        chosen = Chosen(request.GET)
        context = {
            **self.admin_site.each_context(request),
            "title": "Connections",
            "opts": self.opts,
            "chosen": chosen,
            "target": Sight(request.user).named(chosen.target),
            "kind": next(iter(chosen.query), ""),
        }
        if context["target"] is not None and self.has_delete_permission(request):
            context["disconnect_url"] = reverse("admin:realtime_connection_disconnect", query=chosen.query)
        return TemplateResponse(request, "admin/realtime/connections.html", context)

    def data(self, request: HttpRequest) -> JsonResponse:
        """The connections as JSON."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        sight = Sight(request.user)
        found = sight.look(Chosen(request.GET).wanted)
        return JsonResponse(
            {
                "rows": self._shown(sight, found.rows),
                "totals": found.totals,
                "more": found.more,
                "processes": found.processes,
                "complete": found.complete,
            },
            headers={"Cache-Control": "no-store"},
        )

    def export_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """The same as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = Sight(request.user).look(Chosen(request.GET).wanted).rows
        return connections_csv(request, rows)

    def _shown(self, sight: Sight, rows: list[Row]) -> list[dict[str, Any]]:
        titles, endable = titles_of({key for row in rows for key in row["streams"]}), sight.endable(rows)
        shown = [self._show(sight.user, row, titles) for row in rows]
        for row in shown:
            if row["id"] in endable:
                url = reverse("admin:realtime_connection_disconnect", query={"connection": row["id"]})
                row["acts"].insert(0, ("Disconnect…", url))
            if not sight.sees_all:
                row["user"] = None
        return shown

    def _show(self, user: Any, row: Row, titles: dict[str, str]) -> dict[str, Any]:
        """A row with addresses for what can be chosen and done, and without keys."""
        page = reverse("admin:realtime_connection_changelist")
        shown: dict[str, Any] = {name: value for name, value in row.items() if name != "identity"}
        shown["user"] = row["user"] and f"{page}?user={row['user']}"
        shown["token"] = row["token"] and f"{page}?token={row['token']}"
        shown["streams"] = [[titles.get(key, key), f"{page}?stream={key}"] for key in row["streams"]]
        allowed = [each for each in offers if user.has_perm(each.permission)]
        shown["acts"] = [(each.label, address) for each in allowed for address in each.addresses(row)]
        return shown

    def disconnect_view(self, request: HttpRequest) -> HttpResponse:
        """Ask, then close what is chosen: one connection, or all of a user, a token, a room."""
        sight = Sight(request.user)
        if not sight.ends_any:
            raise PermissionDenied
        chosen = Chosen(request.GET)
        target = chosen.target
        found = sight.look(Wanted(chosen.wanted.matches))
        if target is None or not sight.may_end(target, found.rows):
            messages.error(request, "There is nothing of that kind to disconnect any more.")
            return HttpResponseRedirect(reverse("admin:realtime_connection_changelist"))
        if request.method == "POST":
            sight.end(BY_MODERATOR, dict(chosen.wanted.matches), found.rows)
            return self._disconnected(request, target, found, "" if sight.ends_all else _places(found.rows))
        context = {
            **self.admin_site.each_context(request),
            "title": "Disconnect?",
            "opts": self.opts,
            "target": target,
            "kind": next(iter(chosen.query)),
            "found": found,
            "first": found.rows[0] if found.rows else None,
        }
        return TemplateResponse(request, "admin/realtime/disconnect.html", context)

    def _disconnected(self, request: HttpRequest, target: Any, found: Overview, where: str) -> HttpResponse:
        done = counted(found.totals["connections"], "connection")
        if isinstance(target, Stream):
            done += f" in {target}"
        elif not isinstance(target, Connection):
            done += f" of {target}"
        elif found.rows:
            done += f" of {found.rows[0]['who']}{where}"
        self.log_change(request, target, f"Disconnected {done}.")
        messages.success(request, f"Disconnected {done}.")
        return HttpResponseRedirect(reverse("admin:realtime_connection_changelist"))


def _places(rows: list[Row]) -> str:
    return f" in {', '.join(titles_of({key for row in rows for key in row['streams']}).values())}"
