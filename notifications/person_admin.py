"""Admin's form for a notification to one person; the page of connections leads to it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from notifications.forms import PersonForm
from notifications.models import Topic
from realtime.access import Identity
from realtime.connections import Row
from realtime.connections_admin import acts, by_pk

PERMISSION = "notifications.publish_to_people"


def offer(request: HttpRequest, row: Row) -> list[tuple[str, str]]:
    """What the page of connections offers for a user."""
    if row["user"] is None or not request.user.has_perm(PERMISSION):
        return []
    return [("Notify…", reverse("admin:notifications_person", args=[row["user"]]))]


acts.append(offer)


def person_view(model_admin: Any, request: HttpRequest, pk: str) -> HttpResponse:
    """Publish to the user `pk`."""
    user: Any = request.user
    if not user.has_perm(PERMISSION):
        raise PermissionDenied
    back = reverse("admin:index")
    if user.has_perm("realtime.view_connection"):
        back = reverse("admin:realtime_connection_changelist")
    person = by_pk(get_user_model(), pk)
    if person is None or not person.is_active:
        messages.error(request, "There is no such user any more.")
        return HttpResponseRedirect(back)
    form = PersonForm(request.POST or None)
    form.sender = Identity.of_user(user)
    if form.is_valid():
        Topic.objects.open(f"@{person.get_username()}", form.sender).publish(form.sender, **form.said)
        model_admin.log_change(request, person, "Sent a notification.")
        messages.success(request, f"{person} is notified.")
        return HttpResponseRedirect(back)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Notify {person}",
        "form": form,
        "opts": model_admin.opts,
        "back": back,
    }
    return TemplateResponse(request, "admin/notifications/notification/person.html", context)
