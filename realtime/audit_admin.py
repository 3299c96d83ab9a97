"""Who did what in admin, of everyone: Django's admin log as a list, for who may view it. Nothing in it is changed."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from realtime.list_admin import ListAdmin

TITLE = "Audit log"


def _called(heading: str, kind: Any) -> Any:
    """A filter of that kind, under a heading in plain words."""

    class Called(kind):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.title = heading

    return Called


class AuditAdmin(ListAdmin):
    """The acts of staff, newest first.

    They go with the user who did them alone, and only by who may delete log entries: others make that user inactive.
    """

    change_list_template = "admin/realtime/audit.html"
    list_display = ("time", "who", "what", "kind", "on_what", "details")
    list_display_links = None
    list_filter = (
        ("action_flag", _called("act", admin.ChoicesFieldListFilter)),
        ("content_type", _called("kind", admin.RelatedOnlyFieldListFilter)),
        ("action_time", _called("time", admin.DateFieldListFilter)),
        ("user", _called("person", admin.RelatedOnlyFieldListFilter)),
    )
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "change_message", f"user__{get_user_model().USERNAME_FIELD}")
    date_hierarchy = "action_time"
    ordering = ("-action_time", "-pk")
    fields = readonly_fields = ("time", "who", "what", "kind", "on_what", "details")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, by the name that it has on admin's index."""
        return super().changelist_view(request, {"title": TITLE, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Acts are noted by being done."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        """What was done stays as it was noted."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        """It stays; with a user who is deleted, elsewhere in admin, what they did goes."""
        match = request.resolver_match
        is_here = match is None or str(match.url_name).startswith("admin_logentry_")
        return not is_here and super().has_delete_permission(request, obj)

    @admin.display(description="when", ordering="action_time")
    def time(self, entry: LogEntry) -> Any:
        """When it was done."""
        return entry.action_time

    @admin.display(description="who", ordering="user")
    def who(self, entry: LogEntry) -> str:
        """Who did it."""
        return entry.user.get_username()

    @admin.display(description="did what", ordering="action_flag")
    def what(self, entry: LogEntry) -> str:
        """What kind of act it was."""
        return {1: "added", 2: "changed", 3: "deleted"}.get(entry.action_flag, "")

    @admin.display(description="of what kind", ordering="content_type")
    def kind(self, entry: LogEntry) -> str:
        """What it was done to: a room, a token."""
        return entry.content_type.name if entry.content_type else ""

    @admin.display(description="to what", ordering="object_repr")
    def on_what(self, entry: LogEntry) -> str:
        """Which one it was, as it was called then; a way there while it exists."""
        url = None if entry.is_deletion() else entry.get_admin_url()
        return format_html('<a href="{}">{}</a>', url, entry.object_repr) if url else entry.object_repr

    @admin.display(description="details")
    def details(self, entry: LogEntry) -> str:
        """What was changed, or why; typed texts of messages are never in it."""
        return entry.get_change_message()
