"""Rooms and messages in admin, for people who do not program. Every act goes through a verb."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from chat.models import Message, Room
from realtime.access import Identity
from realtime.protocol import Refused


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # only the stubs take one
    """Rooms: who may do what in them, and where they are."""

    list_display = ("name", "title", "guest_access", "member_access", "message_count", "last_message", "page")
    list_filter = ("guest_access", "member_access")
    search_fields = ("name", "title", "description")
    fieldsets = (
        (None, {"fields": ("name", "title", "description")}),
        ("Who may do what", {"fields": ("guest_access", "member_access")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Room]:
        """Rooms with what the columns count."""
        said = Q(messages__target=None, messages__deleted=False)
        found: QuerySet[Room] = super().get_queryset(request)
        return found.annotate(said=Count("messages", filter=said), latest=Max("messages__created_at", filter=said))

    def get_readonly_fields(self, request: HttpRequest, obj: Room | None = None) -> tuple[str, ...]:
        """A room keeps its name: clients know it by that."""
        return ("name",) if obj else ()

    @admin.display(description="messages", ordering="said")
    def message_count(self, room: Any) -> int:
        """How many messages the room has."""
        count: int = room.said
        return count

    @admin.display(description="last message", ordering="latest")
    def last_message(self, room: Any) -> Any:
        """When something was last said."""
        return room.latest

    @admin.display(description="")
    def page(self, room: Room) -> str:
        """A link to the room itself."""
        return format_html('<a href="{}">Open page</a>', room.get_absolute_url())


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Messages: to be read and found; deleting one takes its text away everywhere at once."""

    list_display = ("created_at", "stream", "sender_name", "excerpt")
    list_display_links = ("excerpt",)
    list_filter = ("stream", "created_at", "deleted")
    list_select_related = ("stream",)
    search_fields = ("text", "sender_name", "stream__name")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-seq")
    fields = ("stream", "sender_name", "created_at", "text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        """What people said; the entries that tell of deletions are no messages to them."""
        return super().get_queryset(request).filter(target=None)

    @admin.display(description="message")
    def excerpt(self, message: Message) -> str:
        """The beginning of the text."""
        if message.deleted:
            return "(deleted)"
        return message.text if len(message.text) <= 80 else message.text[:79] + "…"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Messages are said in rooms."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        """What was said stays as it was said."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        """Moderators delete."""
        allowed: bool = request.user.has_perm("chat.moderate_room")
        return allowed

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer to delete nothing twice. Not by permission: a room with a deleted message can be deleted too."""
        message: Message | None = kwargs.get("obj")
        context["show_delete"] = not (message and message.deleted)
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_model(self, request: HttpRequest, obj: Message) -> None:
        """Delete by the verb, so that open pages lose the text at once."""
        self._delete(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Delete each by the verb."""
        self._delete(request, queryset.filter(deleted=False).select_related("stream"))

    def _delete(self, request: HttpRequest, found: Iterable[Message]) -> None:
        assert request.user.is_authenticated
        moderator = Identity.of_user(request.user)
        for message in found:
            try:
                message.stream.delete_message(moderator, message.seq)
            except Refused as refusal:
                self.message_user(request, refusal.message, messages.WARNING)
