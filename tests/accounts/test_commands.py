"""create_token and revoke_token."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from accounts.models import Token


def test_create_token_prints_a_good_secret_and_nothing_else(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_token", "alice")
    output = capsys.readouterr()
    token = Token.authenticate(output.out.removesuffix("\n"))
    assert token is not None
    assert (token.owner, token.scopes, output.err) == (alice, ["*"], "")


def test_create_token_takes_a_name_scopes_and_days(alice: User) -> None:
    call_command("create_token", "alice", "--name", "Backup", "--scope", "chat:read", "--scope", "chat:write:ops")
    call_command("create_token", "alice", "--days", "never")
    lasting, named = Token.objects.all()
    assert (named.name, named.scopes) == ("Backup", ["chat:read", "chat:write:ops"])
    assert lasting.expires_at is None


def test_create_token_tells_how_to_make_a_user(db: None) -> None:
    with pytest.raises(CommandError, match=r"no user 'zoe'.*createsuperuser"):
        call_command("create_token", "zoe")


def test_create_token_makes_none_for_a_deactivated_user(alice: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="alice is deactivated"):
        call_command("create_token", "alice")


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--scope", "everything", "Unknown scope 'everything'"),
        ("--days", "0", "Days: expected 1 to"),
        ("--name", "", "blank"),
    ],
)
def test_create_token_refuses_what_makes_no_sense(alice: User, option: str, value: str, told: str) -> None:
    with pytest.raises(CommandError, match=told):
        call_command("create_token", "alice", option, value)
    assert not Token.objects.exists()


@pytest.mark.parametrize("length", [8, 15, 43])
def test_revoke_token_takes_the_beginning_or_all_of_a_secret(token: Token, secret: str, length: int) -> None:
    call_command("revoke_token", secret[:length])
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_revoke_token_tells_which_tokens_it_could_be(token: Token, bob: User) -> None:
    Token.issue(bob, "phone")
    Token.objects.filter(owner=bob).update(prefix="chorus_AAAAAAAA")
    Token.objects.filter(pk=token.pk).update(prefix="chorus_AAAABBBB")
    with pytest.raises(CommandError, match=r"2 tokens begin with .*(alice: laptop).*") as error:
        call_command("revoke_token", "chorus_AAAA")
    assert "chorus_AAAAAAAA (bob: phone)" in str(error.value)
    assert Token.objects.usable().count() == 2


def test_revoke_token_minds_upper_and_lower_case(token: Token) -> None:
    Token.objects.update(prefix="chorus_AAAAAAAA")
    with pytest.raises(CommandError, match="No token begins with"):
        call_command("revoke_token", "chorus_aaaaaaaa")


@pytest.mark.parametrize("prefix", ["", "chorus_", "laptop", "chorus_123456789"])
def test_revoke_token_wants_a_prefix_that_means_something(token: Token, prefix: str) -> None:
    with pytest.raises(CommandError, match="Expected chorus_ and 1 to 8 more"):
        call_command("revoke_token", prefix)
    assert Token.objects.usable().exists()
