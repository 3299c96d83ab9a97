"""Topics and notifications in admin, for people who do not program. Saving a notification publishes it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path

from notifications.forms import PublishForm
from notifications.models import Notification, Topic
from notifications.person_admin import person_view
from realtime.access import Identity
from realtime.admin import HistoryAdmin, RecordAdmin, access_fields
from realtime.processes import listeners
from realtime.streams import group_of


@admin.register(Topic)
class TopicAdmin(HistoryAdmin):
    """Topics: what is told there, and who may subscribe and publish."""

    list_display = ("name", "title", "guest_access", "member_access", "published", "last_published", "page")
    search_fields = ("name", "title", "description")
    fieldsets = (
        (None, {"fields": ("name", "title", "description")}),
        access_fields("topic", "Who may read may follow it; who may write may publish too."),
        HistoryAdmin.retention,
    )
    published = HistoryAdmin.column("said", "notifications")
    last_published = HistoryAdmin.column("latest", "last published")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Topic]:
        """Topics; people's own are theirs."""
        return super().get_queryset(request).filter(owner=None)


@admin.register(Notification)
class NotificationAdmin(RecordAdmin):
    """Notifications: written once, published by saving; deleting one takes its text away everywhere."""

    form = PublishForm
    change_form_template = "admin/notifications/notification/publish.html"
    list_display = ("created_at", "stream", "shown_title", "priority", "sender_name", "seen")
    list_display_links = ("shown_title",)
    # Only topics of what is listed: not those that are people's own.
    list_filter = (("stream", admin.RelatedOnlyFieldListFilter), "priority", "created_at", "deleted")
    search_fields = ("title", "message", "sender_name", "stream__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        """What was published, but not to single people."""
        return super().get_queryset(request).filter(stream__owner=None)

    def get_fields(self, request: HttpRequest, obj: Notification | None = None) -> tuple[str, ...]:
        """What is written, and later also who saw it."""
        written = ("stream", "title", "message", "priority")
        return (*written, "tag_list", "sender_name", "created_at", "acknowledged_by") if obj else (*written, "tags")

    def get_readonly_fields(self, request: HttpRequest, obj: Notification | None = None) -> tuple[str, ...]:
        """What was published stays as it was."""
        return self.get_fields(request, obj) if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, knowing who is publishing."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)  # a class of its own for each request
        if obj is None and request.user.is_authenticated:
            form.sender = Identity.of_user(request.user)
        return form

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Topics, without people's own."""
        if db_field.name == "stream":
            kwargs["queryset"] = Topic.objects.filter(owner=None)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="notification")
    def shown_title(self, notification: Notification) -> str:
        """The title, or the beginning of the message."""
        return "(deleted)" if notification.deleted else notification.title or notification.message[:80]

    @admin.display(description="tags")
    def tag_list(self, notification: Notification) -> str:
        """The tags in a line."""
        return ", ".join(notification.tags) or "none"

    @admin.display(description="seen by")
    def seen(self, notification: Notification) -> int:
        """How many users have acknowledged it."""
        return notification.acknowledged_by().count()

    @admin.display(description="acknowledged by")
    def acknowledged_by(self, notification: Notification) -> str:
        """Who has seen it."""
        users = [str(cursor.user) for cursor in notification.acknowledged_by().select_related("user")[:200]]
        return ", ".join(users) or "nobody yet"

    def save_model(self, request: HttpRequest, obj: Notification, form: Any, change: bool) -> None:
        """Publish, by the verb."""
        published = obj.stream.publish(form.sender, **form.said)
        obj.pk, obj.seq = published.pk, published.seq

    def get_urls(self) -> list[URLPattern]:
        """With the number of people who would get it, and the form for a single person."""
        own = [
            path("listening/<int:pk>/", self.admin_site.admin_view(self.listening), name="notifications_listening"),
            path("person/<str:pk>/", self.admin_site.admin_view(self.person), name="notifications_person"),
        ]
        return [*own, *super().get_urls()]

    def person(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Notify one person."""
        return person_view(self, request, pk)

    def listening(self, request: HttpRequest, pk: int) -> JsonResponse:
        """How many connections are subscribed to a topic now, for who may publish; null where nobody can tell."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        topic = Topic.objects.filter(pk=pk, owner=None).first()
        count = listeners(group_of(topic.key)) if topic else 0
        return JsonResponse({"listening": count})

    def deletion_of(self, record: Notification, moderator: Identity) -> Notification:
        """The deletion of a notification in its topic."""
        return Notification.retracting(moderator, record.seq)
