"""Pages of a person's own account. Login, logout and passwords are Django's views; see urls.py."""

import logging
import math
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts.attempts import Attempt, refusal_of
from accounts.forms import PasswordForm, TokenForm
from accounts.models import Token
from realtime.http import RETRY_SECONDS, STATUS
from realtime.http.requests import address_of, network_of
from realtime.log import log
from realtime.protocol import Refused

logger = logging.getLogger("chorus.accounts")


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
        try:
            new_token, secret = Token.issue(request.user, **form.cleaned_data)
            form = TokenForm()
        except ValidationError as error:
            form.add_error(None, error)
    own = Token.objects.filter(owner=request.user).select_related("owner")
    context = {"form": form, "tokens": own, "new_token": new_token, "secret": secret}
    return render(request, "accounts/tokens.html", context)


class PasswordPage(PasswordChangeView):
    """A new password, for who knows the present one: wrong ones are counted with those of logins."""

    form_class = PasswordForm
    template_name = "accounts/password_change.html"
    attempt: Attempt

    @method_decorator(sensitive_post_parameters())
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Count the attempt before the password is looked at."""
        self.attempt = Attempt(network_of(request), request.user.get_username())
        refusal = refusal_of(self.attempt, request)
        if refusal is not None:
            self._log(refusal.message)
            request.login_refusal = refusal  # type: ignore[attr-defined]  # for locked_out
            return locked_out(request)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        """Take the attempt back; revoke the tokens where that was asked for."""
        self.attempt.succeed()
        response = super().form_valid(form)
        if form.cleaned_data["revoke_tokens"]:
            for token in Token.objects.usable().filter(owner=form.user):
                token.revoke()
            messages.success(self.request, "Your access tokens are revoked too.")
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        """Only a wrong present password stays counted."""
        if "old_password" in form.errors:
            self._log("Wrong password")
        else:
            self.attempt.succeed()
        return super().form_invalid(form)

    def _log(self, why: str) -> None:
        facts = {"route": self.request.path, "address": address_of(self.request)}
        log(logger, "password change denied: %s", why, user=self.request.user.get_username(), **facts)


def locked_out(request: HttpRequest, *_: object) -> HttpResponse:
    """Instead of a login that was not tried: 429 with the time to wait, 503, or 403. For AXES_LOCKOUT_CALLABLE."""
    refusal: Refused = request.login_refusal  # type: ignore[attr-defined]  # set by accounts.attempts
    wait = refusal.retry_after
    context = {"minutes": math.ceil(wait / 60) if wait else None, "foreign": refusal.code == "forbidden"}
    response = render(request, "accounts/locked.html", context, status=STATUS[refusal.code])
    if refusal.code != "forbidden":
        response["Retry-After"] = str(math.ceil(wait or RETRY_SECONDS))
    return response


def _revoke(request: UserRequest, pk: str) -> HttpResponse:
    if not pk.isascii() or not pk.isdecimal():
        raise Http404("no such token")
    token = get_object_or_404(Token, owner=request.user, pk=pk)
    token.revoke()
    messages.success(request, f"{token.name} is revoked: whatever used it can no longer connect.")
    return redirect("tokens")
