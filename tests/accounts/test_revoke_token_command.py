"""`manage.py revoke_token`."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from accounts.models import Token


@pytest.mark.parametrize("length", [8, 15, 43])
def test_it_takes_the_beginning_or_all_of_a_secret(token: Token, secret: str, length: int) -> None:
    call_command("revoke_token", secret[:length])
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_it_tells_which_tokens_it_could_be(token: Token, bob: User) -> None:
    Token.issue(bob, "phone")
    Token.objects.filter(owner=bob).update(prefix="chorus_AAAAAAAA")
    Token.objects.filter(pk=token.pk).update(prefix="chorus_AAAABBBB")
    with pytest.raises(CommandError, match=r"2 tokens begin with .*(alice: laptop).*") as error:
        call_command("revoke_token", "chorus_AAAA")
    assert "chorus_AAAAAAAA (bob: phone)" in str(error.value)
    assert Token.objects.usable().count() == 2


def test_it_minds_upper_and_lower_case(token: Token) -> None:
    Token.objects.update(prefix="chorus_AAAAAAAA")
    with pytest.raises(CommandError, match="No token begins with"):
        call_command("revoke_token", "chorus_aaaaaaaa")


@pytest.mark.parametrize("prefix", ["", "chorus_", "laptop", "chorus_123456789"])
def test_it_wants_a_prefix_that_means_something(token: Token, prefix: str) -> None:
    with pytest.raises(CommandError, match="Expected chorus_ and 1 to 8 more"):
        call_command("revoke_token", prefix)
    assert Token.objects.usable().exists()
