"""Users and tokens in Django admin."""

from copy import copy
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.forms import LifetimeField, ScopesField
from accounts.models import Token
from accounts.rights import has_rights_of
from accounts.scopes import CHOICES
from accounts.user_forms import NewUserForm, UserForm
from realtime.list_admin import ListAdmin, in_steps

# Django's admin classes take type arguments in their stubs only, hence the ignored ones below.


class NewTokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """A token to be made: a lifetime instead of a date."""

    scopes = ScopesField(label="It may")
    days = LifetimeField(label="Expires after")
    staff: Any = None
    """Who makes it; set on the class that a request gets."""

    class Meta:
        model = Token
        fields = ("owner", "name", "scopes")

    def clean_owner(self) -> Any:
        """Let nobody make a token that may do what they may not."""
        owner = self.cleaned_data["owner"]
        if not has_rights_of(self.staff, owner):
            raise forms.ValidationError(f"{owner} may do what you may not: only a superuser makes this token.")
        Token.check_number(owner)
        return owner


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """A token that exists; scopes that the pages do not offer stay choices where it has them."""

    scopes = ScopesField(label="It may")
    staff: Any = None

    class Meta:
        model = Token
        fields = ("name", "scopes", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = dict(CHOICES)
        for scope in self.instance.scopes:
            offered.setdefault(scope, scope)
        self.fields["scopes"].choices = offered.items()  # type: ignore[attr-defined]  # it is a ScopesField
        self._before = copy(self.instance)

    def clean(self) -> dict[str, Any]:
        """A token that is out may get narrower and shorter; more needs a new one, whose secret nobody has yet."""
        found: dict[str, Any] = super().clean() or {}
        given = {name: found[name] for name in ("scopes", "expires_at") if name in found}
        if len(given) == 2 and not self.staff.is_superuser and Token(**given).exceeds(self._before):
            raise forms.ValidationError("A token only gets narrower, and ends earlier. For more make a new one.")
        return found


NAMED = 10
"""Tokens that a message names; of more it gives the number too."""


def _named(tokens: list[Token]) -> str:
    names = ", ".join(str(token) for token in tokens[:NAMED])
    return names if len(tokens) <= NAMED else f"{names} and {len(tokens) - NAMED} more"


HISTORY = ("prefix", "state", "created_at", "last_used_at", "revoked_at")


class StateFilter(admin.SimpleListFilter):
    """Tokens that are usable, or what became of them."""

    title = "state"
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        """The states as Token.state tells them."""
        return [(state, state) for state in ("active", "expired", "revoked", "owner deactivated")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Token]) -> QuerySet[Token]:
        """The tokens in the chosen state, by the database's clock."""
        usable = Q(pk__in=Token.objects.usable().values("pk"))
        conditions = {
            "active": usable & Q(owner__is_active=True),
            "expired": Q(revoked_at=None, expires_at__lte=Now()),
            "revoked": Q(revoked_at__isnull=False),
            "owner deactivated": usable & Q(owner__is_active=False),
        }
        return queryset.filter(conditions.get(self.value() or "", Q()))


@admin.register(Token)
class TokenAdmin(ListAdmin):
    """Make a token for anyone, see when it was used, revoke it. Its secret is shown once, on making it."""

    form = TokenForm
    autocomplete_fields = ("owner",)
    list_display = ("name", "owner", "prefix", "what_it_may_do", "state", "expires_at", "last_used_at")
    list_filter = (StateFilter, "created_at", "last_used_at")
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", f"owner__{get_user_model().USERNAME_FIELD}")
    actions = ("revoke",)

    def get_form(
        self,
        request: HttpRequest,
        obj: Token | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        """A token to be made is asked other things than one that exists."""
        if obj is None:
            kwargs["form"] = NewTokenForm
        form: Any = super().get_form(request, obj, change, **kwargs)  # a class of its own for each request
        form.staff = request.user
        return form

    def get_fields(self, _request: HttpRequest, obj: Token | None = None) -> tuple[str, ...]:
        """How long it lasts when it is made, then until when; the digest is never shown."""
        asked = ("owner", "name", "scopes")
        return (*asked, "days") if obj is None else (*asked, "expires_at", *HISTORY)

    def get_readonly_fields(self, _request: HttpRequest, obj: Token | None = None) -> tuple[str, ...]:
        """Whose it is never changes."""
        return () if obj is None else ("owner", *HISTORY)

    def has_change_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        """Nobody touches the tokens of a person who may do what they may not."""
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        """The same; so neither goes a user with them, but by who may do as much."""
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def _may_touch(self, request: HttpRequest, obj: Token | None) -> bool:
        return obj is None or has_rights_of(request.user, obj.owner)

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        """A new one is issued, so that admin makes tokens as everybody does."""
        if change:
            # Asked again here, where every form ends, that of a list that can be edited too.
            before = Token.objects.get(pk=obj.pk)
            more = obj.exceeds(before) and not getattr(request.user, "is_superuser", False)
            if more or not self._may_touch(request, before):
                raise PermissionDenied
            super().save_model(request, obj, form, change)
            return
        scopes, days = form.cleaned_data["scopes"], form.cleaned_data["days"]
        issued, secret = Token.issue(obj.owner, obj.name, scopes, days)
        obj.pk = issued.pk
        obj.refresh_from_db()
        request.new_secret = secret  # type: ignore[attr-defined]  # for response_add

    def response_add(self, request: HttpRequest, obj: Token, _post_url_continue: str | None = None) -> HttpResponse:
        """Show the secret at once: a message after a redirect would put it into a cookie or the session."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Copy this token now",
            "token": obj,
            "secret": request.new_secret,  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/accounts/token/made.html", context)

    @admin.display(description="it may")
    def what_it_may_do(self, token: Token) -> str:
        """Its scopes in a line."""
        return ", ".join(token.scopes)

    @admin.action(description="Revoke selected tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Token]) -> None:
        """Revoke each by its verb and note it in the admin log."""
        chosen = list(queryset)
        may = {owner: has_rights_of(request.user, owner) for owner in {token.owner for token in chosen}}
        allowed = [token for token in chosen if may[token.owner]]
        for some in in_steps(allowed):
            with transaction.atomic():
                for token in some:
                    token.revoke()
                    self.log_change(request, token, "Revoked.")
        if allowed:
            messages.success(request, f"Revoked: {_named(allowed)}.")
        if left := [token for token in chosen if not may[token.owner]]:
            messages.error(request, f"Not revoked, since their owners may do what you may not: {_named(left)}.")


class PeopleAdmin(ListAdmin, UserAdmin):  # type: ignore[type-arg]
    """Django's user admin, with what matters here: who is active and who has tokens."""

    form = UserForm
    add_form = NewUserForm
    list_display = ("username", "full_name", "email", "is_staff", "is_active", "last_login", "token_count")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Users with the number of their usable tokens."""
        usable = Q(chorus_tokens__in=Token.objects.usable().values("pk"))
        users: QuerySet[User] = super().get_queryset(request)
        return users.annotate(usable_tokens=Count("chorus_tokens", filter=usable, distinct=True))

    @admin.display(description="name", ordering="last_name")
    def full_name(self, user: User) -> str:
        """First and last name."""
        return user.get_full_name()

    @admin.display(description="tokens", ordering="usable_tokens")
    def token_count(self, user: Any) -> SafeString:
        """How many usable tokens the user has, as a link to them."""
        url = reverse("admin:accounts_token_changelist", query={"owner__id__exact": user.pk, "state": "active"})
        return format_html('<a href="{}">{}</a>', url, user.usable_tokens)


class TeamAdmin(ListAdmin, GroupAdmin):
    """Django's group admin as a list of ours."""


# A site that has a user admin of its own keeps it.
for model, django_s, own in ((User, UserAdmin, PeopleAdmin), (Group, GroupAdmin, TeamAdmin)):
    if admin.site.is_registered(model) and type(admin.site.get_model_admin(model)) is django_s:
        admin.site.unregister(model)
        admin.site.register(model, own)
