"""Admin's form for a notification to one person; the page of connections leads to it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from notifications.forms import PersonForm
from notifications.models import Topic
from realtime.access import Identity
from realtime.connections import Row
from realtime.connections_admin import by_pk, offer
from realtime.form_admin import done, form_page, way_back

PERMISSION = "notifications.publish_to_people"


@offer("Notify…", PERMISSION)
def pages_of(row: Row) -> list[str]:
    """The form for a user who is connected; guests have no topic."""
    return [reverse("admin:notifications_person", args=[row["user"]])] if row["user"] is not None else []


def person_view(model_admin: Any, request: HttpRequest, pk: str) -> HttpResponse:
    """Publish to the user `pk`."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    back = way_back(request, "admin:index")
    person = by_pk(get_user_model(), pk)
    if person is None or not person.is_active:
        messages.error(request, "There is no such user any more.")
        return HttpResponseRedirect(back)
    form = PersonForm(request.POST or None)
    form.sender = Identity.of_user(request.user)  # type: ignore[arg-type]  # admin lets nobody else in
    if form.is_valid():
        Topic.objects.open(f"@{person.get_username()}", form.sender).publish(form.sender, **form.said)
        return done(model_admin, request, person, "Sent a notification.", f"{person} is notified.", back)
    template = "admin/notifications/notification/person.html"
    return form_page(model_admin, request, form, template, title=f"Notify {person}", back=back)
