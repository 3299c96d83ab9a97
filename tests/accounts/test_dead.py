"""Sessions and tokens that nobody can use go with pruning."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from accounts import dead
from accounts.models import Token
from realtime.streams import retention

pytestmark = pytest.mark.django_db


def test_sessions_go_when_they_have_ended(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PRUNED_AT_ONCE", 2)
    for _ in range(5):
        SessionStore().create()
    ended = Session.objects.order_by("pk").values_list("pk", flat=True)[:4]
    Session.objects.filter(pk__in=list(ended)).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert [dead.sessions(), dead.sessions(), dead.sessions()] == [True, True, False]
    assert Session.objects.count() == 1
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    assert dead.sessions() is False


def test_tokens_go_long_after_their_end(alice: User) -> None:
    now = timezone.now()
    for name, days in (("revoked", 91), ("lately", 89)):
        token = Token.issue(alice, name)[0]
        Token.objects.filter(pk=token.pk).update(revoked_at=now - timedelta(days=days))
    for name, days in (("expired", 91), ("ended", 89), ("good", -1)):
        token = Token.issue(alice, name)[0]
        Token.objects.filter(pk=token.pk).update(expires_at=now - timedelta(days=days))
    Token.issue(alice, "for ever", days=None)
    call_command("prune")
    assert set(Token.objects.values_list("name", flat=True)) == {"lately", "ended", "good", "for ever"}
