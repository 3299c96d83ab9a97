"""The pages of chat: the list of rooms, and a room. What is said in a room goes over its socket."""

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from chat.models import Room
from realtime.access import Action, Identity, check
from realtime.conf import conf
from realtime.protocol import Refused
from realtime.streams import is_name, validate_name
from realtime.views import identity_of, socket_origin, terminal


class RoomNameForm(forms.Form):
    """The name of a room to open."""

    name = forms.CharField(label="Name of the room", help_text=validate_name.message)

    def clean_name(self) -> str:
        """The name in lower case, with a hyphen where people put a space; raises ValidationError."""
        name = "-".join(self.cleaned_data["name"].lower().split())
        validate_name(name)
        return name


@require_safe
def rooms(request: HttpRequest) -> HttpResponse:
    """The rooms that this visitor may read, and a form that opens one by name (`?name=`)."""
    form = RoomNameForm(request.GET if "name" in request.GET else None)
    if form.is_valid():
        return redirect("chat:room", form.cleaned_data["name"])
    context = {
        "rooms": Room.objects.readable_by(request.user),
        "form": form,
        "may_make": may_make(request),
    }
    return render(request, "chat/rooms.html", context)


@require_safe
def room(request: HttpRequest, name: str) -> HttpResponse:
    """A room. One that nobody made is made by its first socket, in development or for staff; else 404."""
    if name != name.lower():
        return redirect("chat:room", name.lower())
    visitor = identity_of(request)
    found = room_or_404(request, name)
    if not may(visitor, "read", found):
        raise Http404("no such room for this visitor")
    context = {
        "room": found,
        "may_write": may(visitor, "write", found),
        "may_moderate": request.user.has_perm("chat.moderate_room"),
        "max_text": conf.max_text,
        "origin": socket_origin(request),
        "terminal": terminal(),
    }
    return render(request, "chat/room.html", context)


def room_or_404(request: HttpRequest, name: str) -> Room:
    """The room; an unsaved one where the visitor's socket will make it."""
    if not is_name(name):
        raise Http404("no room can have this name")
    found = Room.objects.filter(name=name).first()
    if found is None and not may_make(request):
        raise Http404("no such room")
    return found or Room(name=name)


def may_make(request: HttpRequest) -> bool:
    """Tell whether a first visit makes the room: anybody's in development, staff's in production."""
    return settings.DEBUG or bool(getattr(request.user, "is_staff", False))


def may(visitor: Identity, action: Action, room: Room) -> bool:
    """Tell whether a visitor may do this in a room."""
    try:
        check(visitor, action, room)
    except Refused:
        return False
    return True
