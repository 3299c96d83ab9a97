"""This site's admin: its name, and an index that begins with who is connected and ends with users, groups and tokens.

A team that takes the apps into its own project keeps its own admin site: nothing here is needed there.
"""

import logging
from functools import wraps
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path

from realtime.log import log

LIVE = "realtime"
PEOPLE = ("auth", "accounts", "admin")


logger = logging.getLogger("chorus.accounts")


class ChorusAdminSite(admin.AdminSite):
    """Admin as people who do not program meet it."""

    site_header = site_title = "Chorus"
    index_title = "What would you like to look after?"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The login page; who is turned away with a good password, not being staff, has a line in the log too."""
        response = super().login(request, extra_context)
        attempt = getattr(request, "login_attempt", None)
        if attempt is not None and response.status_code == 200 and not hasattr(request, "is_logged"):
            facts = {"user": attempt.username, "route": request.path, "address": request.axes_ip_address}  # type: ignore[attr-defined]  # axes sets it
            log(logger, "login denied: Not staff", **facts)
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The site's own page, which counts wrong passwords."""
        return redirect("password_change")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """A page of admin; what no database can look for in its address is a bad request, and no failure of ours."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if "%00" in request.META.get("QUERY_STRING", ""):  # PostgreSQL has no text with NUL
                raise BadRequest("a null character in the address")
            try:
                return inner(request, *args, **kwargs)
            except OverflowError as error:  # a year, in a filter of a list, with more digits than years have
                raise BadRequest("a number in the address is too large") from error

        return checked

    def get_urls(self) -> list[Any]:
        """With a way to an object's page that asks for permission."""
        own = path(
            "r/<path:content_type_id>/<path:object_id>/", self.admin_view(self.view_on_site), name="view_on_site"
        )
        return [own, *super().get_urls()]

    def view_on_site(self, request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponse:
        """Lead to an object's page, for who sees it here; to others it is not there, nor is its name told."""
        kinds: Any = apps.get_model("contenttypes", "ContentType")._default_manager
        kind = kinds.filter(pk=content_type_id).first() if content_type_id.isdecimal() else None
        model: Any = kind.model_class() if kind else None
        if hasattr(model, "get_absolute_url") and self.is_registered(model):
            model_admin = self.get_model_admin(model)
            found = model_admin.get_object(request, object_id)
            if found is not None and model_admin.has_view_permission(request, found):
                return redirect(found)
        raise Http404

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What is live, the apps by name, and those about people as one."""
        label = None if app_label in PEOPLE else app_label
        found = super().get_app_list(request, label)
        others = [app for app in found if app["app_label"] not in PEOPLE]
        others.sort(key=lambda app: app["app_label"] != LIVE)
        about_people = sorted(
            (app for app in found if app["app_label"] in PEOPLE), key=lambda app: PEOPLE.index(app["app_label"])
        )
        people = []
        if about_people:
            models = [model for app in about_people for model in app["models"]]
            names = {"LogEntry": "Audit log"}
            models = [{**model, "name": names.get(model["object_name"], model["name"])} for model in models]
            people = [{**about_people[0], "name": "People & tokens", "models": models}]
        return people if app_label in PEOPLE else [*others, *people]


class ChorusAdminConfig(AdminConfig):
    """Django's admin with this site in place of the default one."""

    default_site = "config.admin.ChorusAdminSite"
