"""Admin's form that mutes or bans somebody who is connected now, a guest too; the page of connections leads to it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from chat.forms import SanctionForm
from chat.models import Room
from chat.sanction_admin import PERMISSION
from realtime.access import Identity
from realtime.connections import Row, Wanted, who
from realtime.connections_admin import by_pk, offer
from realtime.form_admin import done, form_page, way_back
from realtime.streams.moderation import spared

SALT = "chat.sanction"
KEPT_SECONDS = 3600
"""How long a form that names somebody may stay open."""


@offer("Mute or ban…", PERMISSION)
def pages_of(row: Row) -> list[str]:
    """The form in each room that somebody is in."""
    rooms = [key.partition(":")[2] for key in row["streams"] if key.startswith(f"{Room._meta.label_lower}:")]
    whom = {"user": row["user"]} if row["user"] else {"connection": row["id"]}
    return [reverse("admin:chat_room_sanction", args=[pk], query=whom) for pk in rooms]


class PersonForm(SanctionForm):
    """Keeps whom it is for, signed: a guest may be gone before it is sent."""

    whom = forms.CharField(widget=forms.HiddenInput)

    def clean_whom(self) -> Identity:
        """Read it back; raises ValidationError."""
        try:
            key, name = signing.loads(self.cleaned_data["whom"], salt=SALT, max_age=KEPT_SECONDS)
        except signing.BadSignature:
            raise forms.ValidationError("This form was open for too long. Begin again.") from None
        return Identity(key, name)


def person_asked_for(request: HttpRequest) -> Identity | None:
    """Whom an address names by `user` or `connection`; None if they do not exist."""
    pk, connection = request.GET.get("user", ""), request.GET.get("connection", "")
    if pk:
        found = by_pk(get_user_model(), pk)
        return None if found is None else Identity.of_user(found)
    rows = who(Wanted({"connection": connection})).rows if connection else []
    return Identity(rows[0]["identity"], rows[0]["who"]) if rows and rows[0]["user"] is None else None


def person_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Mute or ban somebody in the room `pk`; they are told at once."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    back = way_back(request, "admin:chat_sanction_changelist")
    room = Room.objects.shown_to(request.user).filter(pk=pk).first()
    identity = person_asked_for(request) if request.method != "POST" else None
    if room is None or (identity is None and request.method != "POST"):
        messages.error(request, "They are not there any more.")
        return HttpResponseRedirect(back)
    if identity is not None and (reason := spared(request.user, identity.user)):
        messages.error(request, reason)
        return HttpResponseRedirect(back)
    initial = {"whom": signing.dumps([identity.key, identity.name], salt=SALT)} if identity else None
    form = PersonForm(request.POST or None, initial=initial)
    if form.is_valid():
        sanction = form.impose(room, form.cleaned_data["whom"], request.user)
        return done(model_admin, request, room, f"Imposed: {sanction}", f"{sanction}.", back)
    return form_page(
        model_admin,
        request,
        form,
        "admin/chat/room/sanction.html",
        title=f"Mute or ban in {room}",
        name=identity.name if identity else "",
        back=back,
    )
