"""Counters in admin, for people who do not program. A value is changed by a verb, with who and why."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html

from counter.events import MAX_VALUE
from counter.models import Change, Counter
from realtime.access import Identity
from realtime.admin import StreamAdmin, access_fields
from realtime.form_admin import done, form_page
from realtime.newest_formset import NewestFormSet


class SetForm(forms.Form):
    """A new value, and why."""

    value = forms.IntegerField(label="Set to", min_value=-MAX_VALUE, max_value=MAX_VALUE)
    reason = forms.CharField(max_length=200, help_text="Kept with your name, so that others can see why.")


class ChangeInline(admin.TabularInline):  # type: ignore[type-arg]  # only the stubs take one
    """What staff set, newest first."""

    model = Change
    formset = NewestFormSet
    template = "admin/realtime/newest.html"
    verbose_name_plural = "Set by staff"
    fields = ("created_at", "sender_name", "changed_by", "set_to", "reason")
    readonly_fields = fields
    ordering = ("-seq",)
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> Any:
        """Clicks have no reason; they are no news."""
        return super().get_queryset(request).exclude(reason="")

    @admin.display(description="changed by")
    def changed_by(self, change: Change) -> str:
        """The difference, with its sign."""
        return f"{change.delta:+d}"

    @admin.display(description="set to")
    def set_to(self, change: Change) -> int:
        """The value from then on."""
        return change.value

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A value is set by *Set to…*."""
        return False


@admin.register(Counter)
class CounterAdmin(StreamAdmin):
    """Counters: where they stand, who may press them."""

    list_display = ("name", "title", "value", "guest_access", "member_access", "set_link", "page")
    search_fields = ("name", "title")
    fieldsets = (
        (None, {"fields": ("name", "title", "current_value")}),
        access_fields("counter", "Who may read may watch; who may write may press it too."),
    )
    readonly_fields = ("current_value",)
    inlines = (ChangeInline,)

    def get_urls(self) -> list[URLPattern]:
        """With the form *Set to…*."""
        own = path("<int:pk>/set/", self.admin_site.admin_view(self.set_view), name="counter_counter_set")
        return [own, *super().get_urls()]

    @admin.display(description="value")
    def current_value(self, counter: Counter) -> str:
        """The value, with the way to change it."""
        if not counter.pk:
            return "0"
        return format_html("{} · {}", counter.value, self.set_link(counter))

    @admin.display(description="")
    def set_link(self, counter: Counter) -> str:
        """The way to the form."""
        return format_html('<a href="{}">Set to…</a>', self.address("set", counter.pk))

    def set_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Set a counter to a value, telling everyone who looks at it."""
        counter = self.get_object(request, str(pk))
        if counter is None or not request.user.is_authenticated:
            return HttpResponseRedirect(self.address("changelist"))
        if not (request.user.has_perm("counter.set_counter") and self.has_change_permission(request, counter)):
            raise PermissionDenied
        form = SetForm(request.POST or None, initial={"value": counter.value})
        if form.is_valid():
            value, reason = form.cleaned_data["value"], form.cleaned_data["reason"]
            counter.set_to(Identity.of_user(request.user), value, reason)
            note, said = f"Set to {value}: {reason}", f"{counter} is now {value}."
            return done(self, request, counter, note, said, self.address("changelist"))
        return form_page(
            self, request, form, "admin/counter/counter/set.html", title=f"Set {counter} to…", counter=counter
        )
