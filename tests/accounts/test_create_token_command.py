"""`manage.py create_token`."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from accounts.models import Token


def test_it_prints_a_good_secret_and_nothing_else(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_token", "alice")
    output = capsys.readouterr()
    token = Token.authenticate(output.out.removesuffix("\n"))
    assert token is not None
    assert (token.owner, token.scopes, output.err) == (alice, ["*"], "")


def test_it_takes_a_name_scopes_and_days(alice: User) -> None:
    call_command("create_token", "alice", "--name", "Backup", "--scope", "chat:read", "--scope", "chat:write:ops")
    call_command("create_token", "alice", "--days", "never")
    lasting, named = Token.objects.all()
    assert (named.name, named.scopes) == ("Backup", ["chat:read", "chat:write:ops"])
    assert lasting.expires_at is None


def test_it_tells_how_to_make_a_user(db: None) -> None:
    with pytest.raises(CommandError, match=r"no user 'zoe'.*createsuperuser"):
        call_command("create_token", "zoe")


def test_it_makes_none_for_a_deactivated_user(alice: User) -> None:
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
def test_it_refuses_what_makes_no_sense(alice: User, option: str, value: str, told: str) -> None:
    with pytest.raises(CommandError, match=told):
        call_command("create_token", "alice", option, value)
    assert not Token.objects.exists()


def test_the_owner_is_found_however_their_name_is_typed(db: None) -> None:
    user = User.objects.create_user("jos\u00e9")
    call_command("create_token", "jose\u0301")
    assert Token.objects.get().owner == user
