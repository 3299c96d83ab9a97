"""Mutes and bans in admin: on a room's page, in a list of their own, and for somebody who is connected now."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_user_model
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from chat.forms import SanctionForm, UserSanctionForm
from chat.models import Room, Sanction
from realtime.access import Identity
from realtime.connections import Row, Wanted, who
from realtime.connections_admin import acts, by_pk

PERMISSION = "chat.moderate_room"
SALT = "chat.sanction"
KEPT_SECONDS = 3600
"""How long a form that names somebody may stay open."""


class _Moderated:
    """Seen, made and lifted by moderators; never changed."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Moderators see them."""
        allowed: bool = request.user.has_perm(PERMISSION)
        return allowed

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Moderators make them, on the room's page."""
        return self.has_view_permission(request) and obj is not None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was imposed is lifted, and imposed anew."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting is lifting."""
        return self.has_view_permission(request)

    @admin.display(description="for how long")
    def how_long(self, sanction: Sanction) -> str:
        """Until when."""
        if sanction.until is None:
            return "for good"
        until = timezone.localtime(sanction.until)
        return f"{'until' if until > timezone.now() else 'over since'} {until:%d %b %Y %H:%M}"


class _ByVerbs(BaseInlineFormSet):  # type: ignore[type-arg]
    """What is added and deleted in the list on a room's page, by the verbs."""

    by: Any

    def save_new(self, form: Any, commit: bool = True) -> Any:
        """Impose it."""
        return form.impose(self.instance, form.identity, self.by)

    def delete_existing(self, obj: Sanction, commit: bool = True) -> None:
        """Lift it."""
        obj.lift()


class SanctionInline(_Moderated, admin.TabularInline):  # type: ignore[type-arg]
    """Who is muted or banned in a room."""

    model = Sanction
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
        found.by = request.user
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


class SanctionAdmin(_Moderated, admin.ModelAdmin):  # type: ignore[type-arg]
    """All mutes and bans: to be found, and lifted by deleting them."""

    list_display = ("name", "kind", "room", "how_long", "reason", "by", "created_at")
    list_filter = ("kind", "room")
    list_select_related = ("room", "by")
    search_fields = ("name", "room__name", "reason")
    fields = ("room", "name", "kind", "how_long", "reason", "by", "created_at")
    readonly_fields = fields

    class Media:
        css: ClassVar[Any] = {"all": ["realtime/admin/page.css"]}

    def delete_model(self, request: HttpRequest, obj: Sanction) -> None:
        """Lift it."""
        obj.lift()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Sanction]) -> None:
        """Lift each."""
        for sanction in queryset:
            sanction.lift()


# For somebody who is connected now, a guest too.


def offer(request: HttpRequest, row: Row) -> list[tuple[str, str]]:
    """What the page of connections offers to moderators for who is in a room."""
    if not request.user.has_perm(PERMISSION):
        return []
    rooms = [key.partition(":")[2] for key in row["streams"] if key.startswith(f"{Room._meta.label_lower}:")]
    return [("Mute or ban…", _address(pk, row)) for pk in rooms]


def _address(room_pk: str, row: Row) -> str:
    whom = {"user": row["user"]} if row["user"] else {"connection": row["id"]}
    return reverse("admin:chat_room_sanction", args=[room_pk], query=whom)


acts.append(offer)


class ConnectedSanctionForm(SanctionForm):
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
    """Whom an address names by `user` or `connection`; None if they do not exist, or cannot be bound."""
    pk, connection = request.GET.get("user", ""), request.GET.get("connection", "")
    if pk:
        found = by_pk(get_user_model(), pk)
        return None if found is None or found.is_superuser else Identity.of_user(found)
    rows = who(Wanted({"connection": connection})).rows if connection else []
    return Identity(rows[0]["identity"], rows[0]["who"]) if rows and rows[0]["user"] is None else None


def sanction_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Mute or ban somebody in the room `pk`; they are told at once."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    room = Room.objects.filter(pk=pk).first()
    identity = person_asked_for(request) if request.method != "POST" else None
    back = HttpResponseRedirect(_list_address(request))
    if room is None or (identity is None and request.method != "POST"):
        messages.error(request, "They are not there any more, or may do everything.")
        return back
    initial = {"whom": signing.dumps([identity.key, identity.name], salt=SALT)} if identity else None
    form = ConnectedSanctionForm(request.POST or None, initial=initial)
    if form.is_valid():
        sanction = form.impose(room, form.cleaned_data["whom"], request.user)
        model_admin.log_change(request, room, f"Imposed: {sanction}")
        messages.success(request, f"{sanction}.")
        return back
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Mute or ban in {room}",
        "form": form,
        "name": identity.name if identity else "",
        "opts": model_admin.opts,
        "back": back.url,
    }
    return TemplateResponse(request, "admin/chat/room/sanction.html", context)


def _list_address(request: HttpRequest) -> str:
    name = "realtime_connection" if request.user.has_perm("realtime.view_connection") else "chat_sanction"
    return reverse(f"admin:{name}_changelist")
