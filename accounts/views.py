"""Pages of a person's own account. Login, logout and passwords are Django's views; see urls.py."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.forms import TokenForm
from accounts.models import Token


class UserRequest(HttpRequest):
    """A request behind login_required."""

    user: User


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: UserRequest) -> HttpResponse:
    """The visitor's tokens: list them, make one, revoke one (`revoke=<pk>`)."""
    if "revoke" in request.POST:
        return _revoke(request, request.POST["revoke"])
    return _list_or_make(request)


@sensitive_variables("secret", "context")
def _list_or_make(request: UserRequest) -> HttpResponse:
    """The secret is in this one answer and nowhere else: no redirect could carry it."""
    form, new_token, secret = TokenForm(request.POST if request.method == "POST" else None), None, None
    if form.is_valid():
        new_token, secret = Token.issue(request.user, **form.cleaned_data)
        form = TokenForm()
    own = Token.objects.filter(owner=request.user).select_related("owner")
    context = {"form": form, "tokens": own, "new_token": new_token, "secret": secret}
    return render(request, "accounts/tokens.html", context)


def _revoke(request: UserRequest, pk: str) -> HttpResponse:
    if not pk.isascii() or not pk.isdecimal():
        raise Http404("no such token")
    token = get_object_or_404(Token, owner=request.user, pk=pk)
    token.revoke()
    messages.success(request, f"{token.name} is revoked: whatever used it can no longer connect.")
    return redirect("tokens")
