"""What the admin pages of the apps' streams share, for people who do not program. Every act goes through a verb."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Literal

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from realtime.access import Identity
from realtime.access_form import LEVELS, AccessForm, is_private
from realtime.audit_admin import AuditAdmin
from realtime.connections_admin import ConnectionAdmin
from realtime.form_admin import done
from realtime.list_admin import SHOWN, ListAdmin
from realtime.models import Connection
from realtime.streams.grants import GRANT_FIELDS
from realtime.streams.history import History, Record
from realtime.streams.stream import unpruned

admin.site.register(Connection, ConnectionAdmin)
if not admin.site.is_registered(LogEntry):  # a site that has a list of its own keeps it
    admin.site.register(LogEntry, AuditAdmin)

LISTS = GRANT_FIELDS


def access_fields(kind: str, meaning: str = "") -> Any:
    """The part of a form that says who may do what in a `kind` of stream, and what reading and writing mean there."""
    words = (
        f"Guests have no account, members have one. {meaning} The people and groups named here may do it even where "
        f"members may not, and in a private {kind} they alone."
    )
    return ("Who may do what", {"fields": ("private", *LEVELS, *LISTS), "description": words.replace("  ", " ")})


class StreamAdmin(ListAdmin):
    """A kind of stream: who may do what, and where it is."""

    form = AccessForm
    change_form_template = "admin/realtime/stream.html"
    list_filter: ClassVar[Any] = LEVELS
    autocomplete_fields: ClassVar[Any] = LISTS
    search_fields: ClassVar[Any] = ("name", "title")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A stream keeps its name: clients know it by that."""
        return ("name", *self.readonly_fields) if obj else self.readonly_fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Without the switch *Private* where an app's own arrangement of fields leaves it out."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)  # a class of its own for each request
        if "fields" not in kwargs and "private" not in flatten_fieldsets(self.get_fieldsets(request, obj)):
            form.base_fields.pop("private", None)
        return form

    @admin.display(description="private", boolean=True)
    def private(self, stream: Any) -> bool:
        """What the switch says to who may not turn it."""
        return is_private(stream)

    @admin.display(description="")
    def page(self, stream: Any) -> str:
        """A link to the page where it is used."""
        return format_html('<a href="{}">Open page</a>', stream.get_absolute_url())

    def address(self, view: str, *args: Any) -> str:
        """Where one of this model's pages is: `changelist`, `change`, `reset`."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{view}", args=args)


class HistoryAdmin(StreamAdmin):
    """A kind of stream with a history: how much of it there is, how long it is kept, a way to delete it all."""

    change_form_template = "admin/realtime/history.html"
    list_display: Any = ("name", "title", "guest_access", "member_access", "entry_count", "last_entry", "page")
    retention: Any = (
        "How long it is kept",
        {
            "fields": ("keep_days", "keep_entries", "keep_bytes"),
            "description": "What is past any of these is deleted within an hour, and does not come back; what has too "
            "many bytes goes as soon as more comes.",
        },
    )

    @staticmethod
    def column(counted: Literal["said", "latest"], description: str) -> Callable[[Any, Any], Any]:
        """A column for a list: how many entries there are, or when the last of them came."""

        @admin.display(description=description, ordering=counted)
        def shown(_: Any, stream: Any) -> Any:
            return getattr(stream, counted)

        return shown

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Streams with what the columns count."""
        found: Any = super().get_queryset(request)
        counted: QuerySet[Any] = found.with_said()
        return counted

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Unless an app says more: its name, who may do what, how long it is kept."""
        name: Any = (None, {"fields": ("name", "title")})
        return self.fieldsets or (name, access_fields(str(self.opts.verbose_name)), self.retention)

    @admin.display(description="entries", ordering="said")
    def entry_count(self, stream: Any) -> int:
        """How many entries it has."""
        count: int = stream.said
        return count

    @admin.display(description="last entry", ordering="latest")
    def last_entry(self, stream: Any) -> Any:
        """When the last one came."""
        return stream.latest

    def get_urls(self) -> list[URLPattern]:
        """With the question before all is deleted."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_reset"
        return [path("<int:pk>/reset/", self.admin_site.admin_view(self.reset_view), name=name), *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer to reset to who may."""
        stream = kwargs.get("obj")
        if stream is not None and self._may_reset(request, stream):
            context["reset_url"] = self.address("reset", stream.pk)
            context["entries"] = self._entries
        return super().render_change_form(request, context, *args, **kwargs)

    @property
    def _entries(self) -> str:
        """What people call what is in it: messages, notifications."""
        return str(self.model.entry_model._meta.verbose_name_plural)

    def _may_reset(self, request: HttpRequest, stream: History) -> bool:
        # All who may delete the stream may empty it; nobody who may only change its title.
        return self.has_change_permission(request, stream) and self.has_delete_permission(request, stream)

    def reset_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then delete all entries, telling everyone who has them on a page."""
        stream: Any = self.get_object(request, str(pk))
        if stream is None:
            return HttpResponseRedirect(self.address("changelist"))
        if not self._may_reset(request, stream):
            raise PermissionDenied
        if request.method == "POST":
            stream.reset_history()
            said = f"All {self._entries} in {stream} are deleted."
            return done(self, request, stream, f"Deleted all {self._entries}", said, self.address("change", pk))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Delete all {self._entries}?",
            "stream": stream,
            "entries": self._entries,
            "opts": self.opts,
            "list_url": self.address("changelist"),
            "change_url": self.address("change", pk),
        }
        return TemplateResponse(request, "admin/realtime/reset.html", context)


class RecordAdmin(ListAdmin):
    """Entries of a history: to be read and found; deleting one takes its text away everywhere at once."""

    list_select_related = ("stream",)
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-seq")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What people said; entries that tell of deletions, and what is read no more, are nothing to them."""
        found: QuerySet[Any] = super().get_queryset(request)
        return found.filter(unpruned, target=None)

    def has_change_permission(self, request: HttpRequest, obj: Record | None = None) -> bool:
        """What was said stays as it was said."""
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer to delete nothing twice. Not by permission: a stream with a deleted entry can be deleted too."""
        record: Record | None = kwargs.get("obj")
        context["show_delete"] = not (record and record.deleted)
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_model(self, request: HttpRequest, obj: Record) -> None:
        """Delete by the verb, so that open pages lose the text at once."""
        self._delete(request, [obj])

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *more: Any) -> HttpResponse | None:
        """Act on what is chosen, without reading what thousands of entries say."""
        return super().response_action(request, queryset.defer(*{*self.model.emptied} - {"deleted"}), *more)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete each by the verb."""
        self._delete(request, queryset.filter(deleted=False).select_related("stream"))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """With an entry nothing else goes; the question shows the first lines."""
        count = objs.count() if isinstance(objs, QuerySet) else len(objs)
        lines = [str(record) for record in objs[:SHOWN]]
        more = [f"… and {count - SHOWN} more"] if count > SHOWN else []
        needed = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return [*lines, *more], {self.opts.verbose_name_plural: count}, needed, []

    def _delete(self, request: HttpRequest, found: Iterable[Record]) -> None:
        assert request.user.is_authenticated
        moderator = Identity.of_user(request.user)
        by_stream: defaultdict[History, list[Record]] = defaultdict(list)
        for record in found:
            by_stream[record.stream].append(self.deletion_of(record, moderator))
        for stream, deletions in by_stream.items():
            for reason in {refusal.message for refusal in stream.delete_each(deletions)}:
                self.message_user(request, reason, messages.WARNING)

    def deletion_of(self, record: Any, moderator: Identity) -> Record:
        """The entry that deletes one, not yet stored."""
        raise NotImplementedError
