"""The pages of chat: the list of rooms, and a room. What is said in a room goes over its socket."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from chat.models import Room
from realtime.conf import conf
from realtime.forms import NameForm
from realtime.views import may, may_make, readable_or_404, socket_origin, terminal, visitor_of


@require_safe
def rooms(request: HttpRequest) -> HttpResponse:
    """The rooms that this visitor may read, and a form that opens one by name (`?name=`)."""
    form = NameForm(request.GET if "name" in request.GET else None)
    if form.is_valid():
        return redirect("chat:room", form.cleaned_data["name"])
    context = {
        "rooms": Room.objects.readable_by(visitor_of(request)),
        "form": form,
        "may_make": may_make(request),
    }
    return render(request, "chat/rooms.html", context)


@require_safe
def room(request: HttpRequest, name: str) -> HttpResponse:
    """A room. One that nobody made is made by its first socket, in development or for staff; else 404."""
    if name != name.lower():
        return redirect("chat:room", name.lower())
    found = readable_or_404(request, Room, name)
    context = {
        "room": found,
        "may_write": may(visitor_of(request), "write", found),
        "may_moderate": request.user.has_perm("chat.moderate_room"),
        "max_text": conf.max_text,
        "origin": socket_origin(request),
        "terminal": terminal(),
    }
    return render(request, "chat/room.html", context)
