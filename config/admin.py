"""This site's admin: its name, and an index that holds users, groups and tokens together.

A team that takes the apps into its own project keeps its own admin site: nothing here is needed there.
"""

from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest

PEOPLE = ("auth", "accounts")


class ChorusAdminSite(admin.AdminSite):
    """Admin as people who do not program meet it."""

    site_header = site_title = "Chorus"
    index_title = "What would you like to look after?"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The apps by name, those about people as one, last."""
        label = None if app_label in PEOPLE else app_label
        found = super().get_app_list(request, label)
        others = [app for app in found if app["app_label"] not in PEOPLE]
        about_people = sorted(
            (app for app in found if app["app_label"] in PEOPLE), key=lambda app: PEOPLE.index(app["app_label"])
        )
        people = []
        if about_people:
            models = [model for app in about_people for model in app["models"]]
            people = [{**about_people[0], "name": "People & tokens", "models": models}]
        return people if app_label in PEOPLE else [*others, *people]


class ChorusAdminConfig(AdminConfig):
    """Django's admin with this site in place of the default one."""

    default_site = "config.admin.ChorusAdminSite"
