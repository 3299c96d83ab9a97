"""The pages of chat: the list of rooms, and a room. What is said in a room goes over its socket."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from chat.forms import DURATIONS
from chat.models import Room
from realtime.conf import conf
from realtime.views import here, list_page, stream_page, visitor_of


@require_safe
def rooms(request: HttpRequest) -> HttpResponse:
    """The rooms that this visitor may read, and a form that opens one by name (`?name=`)."""
    return list_page(request, Room, "chat/rooms.html")


@require_safe
def room(request: HttpRequest, name: str) -> HttpResponse:
    """A room. In development its first socket makes it; else one that is not there is 404, with the way there."""

    def more(found: Room) -> dict[str, Any]:
        visitor = visitor_of(request)
        return {
            "may_moderate": request.user.has_perm("chat.moderate_room"),
            "max_text": conf.max_text,
            "api": here("/api"),
            "durations": DURATIONS,
            "muted": found.denies(visitor, "write") if found.restriction(visitor) else "",
        }

    return stream_page(request, Room, name, "chat/room.html", route="/ws/chat/{}/", more=more)
