"""Rooms and messages in admin, for people who do not program. Every act goes through a verb."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from chat.models import Message, Room, Sanction
from chat.person_admin import person_view
from chat.sanction_admin import PERMISSION, SanctionAdmin, SanctionInline, ShownRooms
from realtime.access import Identity
from realtime.admin import HistoryAdmin, RecordAdmin, access_fields

admin.site.register(Sanction, SanctionAdmin)


@admin.register(Room)
class RoomAdmin(HistoryAdmin):
    """Rooms: who may do what in them, and where they are."""

    list_display = ("name", "title", "guest_access", "member_access", "message_count", "last_message", "page")
    search_fields = ("name", "title", "description")
    fieldsets = (
        (None, {"fields": ("name", "title", "description")}),
        access_fields("room"),
        HistoryAdmin.retention,
    )
    inlines = (SanctionInline,)
    message_count = HistoryAdmin.column("said", "messages")
    last_message = HistoryAdmin.column("latest", "last message")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Moderators see the rooms that they may read, who may change rooms all."""
        return super().get_queryset(request).filter(pk__in=Room.objects.shown_to(request.user).values("pk"))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Moderators see rooms."""
        return request.user.has_perm(PERMISSION) or super().has_view_permission(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Nobody is banned from a room before it is there."""
        return self.inlines if obj else ()

    def get_urls(self) -> list[URLPattern]:
        """With the form for somebody who is connected."""
        own = path("<int:pk>/sanction/", self.admin_site.admin_view(self.person), name="chat_room_sanction")
        return [own, *super().get_urls()]

    def person(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Mute or ban somebody in a room."""
        return person_view(self, request, pk)


@admin.register(Message)
class MessageAdmin(RecordAdmin):
    """Messages: to be read and found; deleting one takes its text away everywhere at once."""

    list_display = ("created_at", "stream", "sender_name", "excerpt")
    list_display_links = ("excerpt",)
    list_filter = (("stream", ShownRooms), "created_at", "deleted")
    search_fields = ("text", "sender_name", "stream__name")
    fields = ("stream", "sender_name", "created_at", "text")

    @admin.display(description="message")
    def excerpt(self, message: Message) -> str:
        """The beginning of the text."""
        if message.deleted:
            return "(deleted)"
        return message.text if len(message.text) <= 80 else message.text[:79] + "…"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those of the rooms that one sees."""
        return super().get_queryset(request).filter(stream__in=Room.objects.shown_to(request.user).values("pk"))

    def has_view_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        """Moderators read."""
        return request.user.has_perm(PERMISSION) or super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Messages are said in rooms."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        """Moderators delete."""
        return request.user.has_perm(PERMISSION)

    def deletion_of(self, record: Message, moderator: Identity) -> Message:
        """The deletion of a message in its room."""
        return Message.deleting(moderator, record.seq)
