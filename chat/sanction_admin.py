"""Mutes and bans in admin: on a room's page, and in a list of their own."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from chat.forms import UserSanctionForm
from chat.models import Room, Sanction
from realtime.access import Identity
from realtime.list_admin import ListAdmin, in_steps
from realtime.newest_formset import NewestFormSet

PERMISSION = "chat.moderate_room"


class ShownRooms(admin.RelatedFieldListFilter):
    """A filter by room, which names those that one sees."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """Their keys and names."""
        shown = Room.objects.shown_to(request.user).values("pk")
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to={"pk__in": shown})


class _Moderated:
    """Seen, made and lifted by moderators; never changed."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Moderators see them."""
        return bool(request.user.has_perm(PERMISSION))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Moderators make them, on the room's page if they may change that."""
        return obj is not None and self.has_view_permission(request) and request.user.has_perm("chat.change_room")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was imposed is lifted, and imposed anew."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting is lifting. Nobody lifts their own but a superuser, whom none binds."""
        user: Any = request.user
        own = isinstance(obj, Sanction) and not user.is_superuser and obj.identity_key == Identity.of_user(user).key
        return self.has_view_permission(request) and not own

    @admin.display(description="for how long")
    def how_long(self, sanction: Sanction) -> str:
        """Until when."""
        if sanction.until is None:
            return "for good"
        until = timezone.localtime(sanction.until)
        return f"{'until' if until > timezone.now() else 'over since'} {until:%d %b %Y %H:%M}"


class _ByVerbs(NewestFormSet):
    """What is added and deleted in the list on a room's page, by the verbs."""

    by: Any

    @property
    def list_url(self) -> str:
        """The list of those in this room."""
        return reverse("admin:chat_sanction_changelist", query={"room__id__exact": self.instance.pk})

    def save_new(self, form: Any, commit: bool = True) -> Any:
        """Impose it."""
        return form.impose(self.instance, form.identity, self.by)

    def delete_existing(self, obj: Sanction, commit: bool = True) -> None:
        """Lift it."""
        obj.lift()


class SanctionInline(_Moderated, admin.TabularInline):  # type: ignore[type-arg]
    """Who is muted or banned in a room."""

    model = Sanction
    template = "admin/realtime/newest.html"
    ordering = ("-created_at", "-pk")
    form = UserSanctionForm
    formset = _ByVerbs
    verbose_name = "mute or ban"
    verbose_name_plural = "Muted and banned"
    fields = ("user", "kind", "how_long", "reason", "by", "created_at")
    readonly_fields = ("by", "created_at")
    extra = 0

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Forms that know who is asking, and find users by name."""
        found: Any = super().get_formset(request, obj, **kwargs)  # a class of its own for each request
        found.by = found.form.by = request.user
        # Any relation to a user tells the widget where to look; the form's own has none.
        widget = AutocompleteSelect(Sanction._meta.get_field("by"), self.admin_site)
        field = found.form.base_fields["user"]
        widget.choices = field.choices
        field.widget = widget
        return found

    @admin.display(description="who")
    def user(self, sanction: Sanction) -> str:
        """Whom it is for, as they were called."""
        return sanction.name


class SanctionAdmin(_Moderated, ListAdmin):
    """All mutes and bans: to be found, and lifted by deleting them."""

    list_display = ("name", "kind", "room", "how_long", "reason", "by", "created_at")
    list_filter = ("kind", ("room", ShownRooms))
    list_select_related = ("room", "by")
    search_fields = ("name", "room__name", "reason")
    fields = ("room", "name", "kind", "how_long", "reason", "by", "created_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sanction]:
        """Those in the rooms that one sees."""
        return super().get_queryset(request).filter(room__in=Room.objects.shown_to(request.user).values("pk"))

    def delete_model(self, request: HttpRequest, obj: Sanction) -> None:
        """Lift it."""
        obj.lift()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Sanction]) -> None:
        """Lift each."""
        for some in in_steps(queryset):
            with transaction.atomic():
                for sanction in some:
                    sanction.lift()
