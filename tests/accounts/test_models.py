"""Tokens: made, known again, revoked."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models.functions import Now
from django.forms.models import model_to_dict
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Token, parse_days
from accounts.secret import new_secret
from realtime.secrecy import NOT_SAYABLE


def expire(token: Token) -> None:
    """Let its time be over by now."""
    Token.objects.filter(pk=token.pk).update(expires_at=Now() - timedelta(seconds=1))


def test_a_name_that_holds_a_secret_is_refused_wherever_it_is_given(alice: User) -> None:
    with pytest.raises(ValidationError, match=NOT_SAYABLE):
        Token.issue(alice, f"it is {new_secret()}")
    with pytest.raises(ValidationError, match="control characters"):
        Token(owner=alice, name="\x1b[31m", scopes=["*"], prefix="x", digest="x").full_clean()


def test_the_secret_is_stored_nowhere(token: Token, secret: str) -> None:
    stored = Token.objects.values().get(pk=token.pk)
    assert secret not in str(stored)
    assert stored["prefix"] == secret[:15]


def test_a_token_lasts_90_days_and_may_do_everything_unless_said_otherwise(token: Token) -> None:
    assert token.scopes == ["*"]
    assert token.expires_at is not None
    assert token.expires_at - token.created_at == pytest.approx(timedelta(days=90), abs=timedelta(seconds=1))
    assert token.created_at == pytest.approx(timezone.now(), abs=timedelta(seconds=5))


def test_a_token_never_expires_only_where_that_is_asked(alice: User) -> None:
    token, secret = Token.issue(alice, "for ever", days=None)
    assert token.expires_at is None
    assert Token.authenticate(secret) == token


def test_scopes_are_kept_once_each_in_order(alice: User) -> None:
    token, _ = Token.issue(alice, "narrow", ["chat:write", "chat:read", "chat:write"])
    assert Token.objects.get(pk=token.pk).scopes == ["chat:write", "chat:read"]


@pytest.mark.parametrize(("name", "scope"), [("", "*"), ("x" * 101, "*"), ("a\x00b", "*"), ("ok", "chat")])
def test_a_name_or_scope_that_cannot_be_makes_no_token(alice: User, name: str, scope: str) -> None:
    with pytest.raises(ValidationError):
        Token.issue(alice, name, [scope])
    assert not Token.objects.exists()


def test_a_secret_is_known_again_with_its_owner(token: Token, secret: str, alice: User) -> None:
    found = Token.authenticate(secret)
    assert found == token
    assert found.owner == alice


def test_a_mistyped_secret_costs_no_query(secret: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert Token.authenticate(secret[:-1] + ("a" if secret[-1] != "a" else "b")) is None


def test_an_unknown_secret_is_nobody_s(token: Token) -> None:
    assert Token.authenticate(new_secret()) is None


def test_a_revoked_token_opens_nothing(token: Token, secret: str) -> None:
    token.revoke()
    assert Token.authenticate(secret) is None
    assert token.state == "revoked"


def test_revoking_twice_keeps_the_first_time(token: Token) -> None:
    Token.objects.update(revoked_at=Now() - timedelta(hours=1))
    token.revoke()
    assert token.revoked_at == pytest.approx(timezone.now() - timedelta(hours=1), abs=timedelta(seconds=5))


def test_an_expired_token_opens_nothing(token: Token, secret: str) -> None:
    expire(token)
    assert Token.authenticate(secret) is None
    token.refresh_from_db()
    assert token.state == "expired"


def test_a_token_of_a_deactivated_user_opens_nothing(token: Token, secret: str, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert Token.authenticate(secret) is None
    assert Token.objects.get(pk=token.pk).state == "owner deactivated"


def test_a_good_token_is_usable(token: Token) -> None:
    assert token.is_usable
    assert token in Token.objects.usable()


def test_a_use_is_noted(token: Token, secret: str) -> None:
    Token.authenticate(secret)
    token.refresh_from_db()
    assert token.last_used_at == pytest.approx(timezone.now(), abs=timedelta(seconds=5))


def test_a_second_use_in_the_same_minute_is_one_query(
    secret: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Token.authenticate(secret)
    with django_assert_num_queries(1):
        Token.authenticate(secret)


def test_a_use_a_minute_later_is_noted_again(token: Token, secret: str) -> None:
    Token.objects.filter(pk=token.pk).update(last_used_at=Now() - timedelta(seconds=61))
    Token.authenticate(secret)
    token.refresh_from_db()
    assert token.last_used_at == pytest.approx(timezone.now(), abs=timedelta(seconds=5))


def test_a_token_allows_what_one_of_its_scopes_covers(alice: User) -> None:
    token, _ = Token.issue(alice, "narrow", ["chat:read", "chat:write:lobby"])
    assert token.allows("chat:read:hall")
    assert token.allows("chat:write:lobby")
    assert not token.allows("chat:write:hall")


def test_tokens_go_with_their_owner(token: Token, alice: User) -> None:
    alice.delete()
    assert not Token.objects.exists()


def test_no_form_made_of_the_model_shows_the_digest(token: Token) -> None:
    assert "digest" not in model_to_dict(token)


@pytest.mark.parametrize(("text", "days"), [("1", 1), ("90", 90), ("3650", 3650), ("never", None)])
def test_a_lifetime_is_a_number_of_days_or_never(text: str, days: int | None) -> None:
    assert parse_days(text) == days


@pytest.mark.parametrize("text", ["", "0", "-1", "3651", "9" * 5000, "1.5", "٣", "soon"])
def test_any_other_lifetime_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="expected 1 to 3650, or never"):
        parse_days(text)


@pytest.mark.parametrize(
    ("scopes", "days", "more"),
    [
        (["chat:write"], 5, False),
        (["chat:write:lobby"], 4, False),
        ([], 5, False),
        (["chat:read"], 5, True),
        (["*"], 5, True),
        (["chat:write"], 6, True),
        (["chat:write"], None, True),
    ],
)
def test_a_token_exceeds_another_by_a_scope_or_a_later_end(scopes: list[str], days: int | None, more: bool) -> None:
    now = timezone.now()
    other = Token(scopes=["chat:write"], expires_at=now + timedelta(days=5))
    assert Token(scopes=scopes, expires_at=None if days is None else now + timedelta(days=days)).exceeds(other) is more
    assert not Token(scopes=scopes, expires_at=None).exceeds(Token(scopes=["*"]))


def test_a_person_has_so_many_tokens_at_once(alice: User, bob: User, settings: Settings) -> None:
    settings.CHORUS_TOKENS_PER_USER = 2
    first, _ = Token.issue(alice, "1")
    second, _ = Token.issue(alice, "2")
    with pytest.raises(ValidationError, match="alice has 2 tokens"):
        Token.issue(alice, "3")
    Token.issue(bob, "1")
    first.revoke()
    Token.issue(alice, "3")
    expire(second)
    Token.issue(alice, "4")
    settings.CHORUS_TOKENS_PER_USER = 0
    Token.issue(alice, "5")
