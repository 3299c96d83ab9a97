"""Pages of a person's own account. Login, logout and passwords are Django's views; see urls.py."""

import math

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
from realtime.http import RETRY_SECONDS, STATUS
from realtime.protocol import Refused


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


def locked_out(request: HttpRequest, *_: object) -> HttpResponse:
    """Instead of a login that was not tried: 429 with the time to wait, or 503. For AXES_LOCKOUT_CALLABLE."""
    refusal: Refused = request.login_refusal  # type: ignore[attr-defined]  # set by accounts.attempts
    wait = refusal.retry_after
    context = {"minutes": math.ceil(wait / 60) if wait else None}
    response = render(request, "accounts/locked.html", context, status=STATUS[refusal.code])
    response["Retry-After"] = str(math.ceil(wait or RETRY_SECONDS))
    return response


def _revoke(request: UserRequest, pk: str) -> HttpResponse:
    if not pk.isascii() or not pk.isdecimal():
        raise Http404("no such token")
    token = get_object_or_404(Token, owner=request.user, pk=pk)
    token.revoke()
    messages.success(request, f"{token.name} is revoked: whatever used it can no longer connect.")
    return redirect("tokens")
