"""Users and tokens in admin."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Token

Helper = Callable[..., Client]

TOKENS = "admin:accounts_token_changelist"
USERS = "admin:auth_user_changelist"


def new(owner: User, **changes: Any) -> dict[str, Any]:
    """What the form for a new token sends."""
    return {"owner": owner.pk, "name": "Backup", "scopes": ["chat:read"], "days": "30", **changes}


def test_a_token_made_in_admin_shows_its_secret_once(staff: Client, alice: User) -> None:
    answer = staff.post(reverse("admin:accounts_token_add"), new(alice))
    token, secret = Token.objects.get(), answer.context["secret"]
    assert Token.authenticate(secret) == token
    assert (token.owner, token.name, token.scopes) == (alice, "Backup", ["chat:read"])
    assert secret in answer.text
    assert "never again" in answer.text


def test_the_secret_stays_out_of_caches_cookies_sessions_and_the_log(staff: Client, alice: User) -> None:
    answer = staff.post(reverse("admin:accounts_token_add"), new(alice))
    secret = answer.context["secret"]
    assert "no-store" in answer.headers["cache-control"]
    kept = [*(session.get_decoded() for session in Session.objects.all()), *LogEntry.objects.values()]
    assert secret not in str(answer.cookies) + str(answer.headers) + str(kept)


def test_making_a_token_is_in_the_admin_log(staff: Client, alice: User) -> None:
    staff.post(reverse("admin:accounts_token_add"), new(alice))
    assert LogEntry.objects.get().get_edited_object() == Token.objects.get()


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"scopes": []}, {"scopes": ["root"]}, {"scopes": ["*", "chat:read"]}, {"days": "0"}],
)
def test_what_makes_no_sense_makes_no_token(staff: Client, alice: User, wrong: dict[str, Any]) -> None:
    answer = staff.post(reverse("admin:accounts_token_add"), new(alice, **wrong))
    assert answer.context["adminform"].form.errors.keys() == wrong.keys()
    assert not Token.objects.exists()


def test_only_a_superuser_makes_a_token_that_speaks_for_one(client: Client, root: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    bob.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client.force_login(bob)
    answer = client.post(reverse("admin:accounts_token_add"), new(root))
    assert "owner" in answer.context["adminform"].form.errors
    assert client.post(reverse("admin:accounts_token_add"), new(bob)).context["secret"]


def test_nobody_makes_a_token_of_who_may_more(helper: Helper, bob: User) -> None:
    bob.user_permissions.add(Permission.objects.get(codename="moderate_room"))
    answer = helper("add_token", "view_user").post(reverse("admin:accounts_token_add"), new(bob))
    assert "owner" in answer.context["adminform"].form.errors
    assert not Token.objects.exists()


@pytest.fixture
def narrow(root: User) -> Token:
    """A token of the superuser's that may do little, and has expired."""
    token = Token.issue(root, "narrow", ["counter:read"])[0]
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(days=1))
    return token


def test_nobody_changes_or_deletes_a_token_of_who_may_more(helper: Helper, narrow: Token) -> None:
    browser = helper("change_token", "view_token", "delete_token")
    wider = {"name": "x", "scopes": ["*"], "expires_at_0": "2099-01-01", "expires_at_1": "00:00"}
    assert browser.post(reverse("admin:accounts_token_change", args=[narrow.pk]), wider).status_code == 403
    assert browser.post(reverse("admin:accounts_token_delete", args=[narrow.pk]), {"post": "yes"}).status_code == 403
    chosen = {"_selected_action": [narrow.pk], "post": "yes"}
    browser.post(reverse(TOKENS), {**chosen, "action": "delete_selected"})
    answer = browser.post(reverse(TOKENS), {**chosen, "action": "revoke"}, follow=True)
    assert "Not revoked" in answer.text
    kept = Token.objects.get()
    assert (kept.name, kept.scopes, kept.state) == ("narrow", ["counter:read"], "expired")


def test_of_many_revoked_tokens_the_first_are_named(staff: Client, alice: User) -> None:
    pks = [Token.issue(alice, f"token{number}")[0].pk for number in range(12)]
    answer = staff.post(reverse(TOKENS), {"_selected_action": pks, "action": "revoke"}, follow=True)
    assert "and 2 more." in answer.text
    assert not Token.objects.usable().exists()


def test_nor_goes_a_person_who_has_such_tokens(helper: Helper, narrow: Token) -> None:
    browser = helper("delete_user", "view_user", "delete_token")
    browser.post(reverse("admin:auth_user_delete", args=[narrow.owner_id]), {"post": "yes"})
    assert User.objects.filter(pk=narrow.owner_id).exists()


@pytest.mark.parametrize(
    "more",
    [
        {"scopes": ["*"]},
        {"scopes": ["chat:write"]},
        {"expires_at_0": "2099-01-01", "expires_at_1": "00:00"},
        {"expires_at_0": "", "expires_at_1": ""},
    ],
)
def test_staff_give_no_token_more_or_longer(helper: Helper, bob: User, more: dict[str, Any]) -> None:
    token = Token.issue(bob, "phone", ["chat:read"], 3)[0]
    url = reverse("admin:accounts_token_change", args=[token.pk])
    same = {"name": "phone", "scopes": ["chat:read"], "expires_at_0": "2020-01-01", "expires_at_1": "00:00"}
    browser = helper("change_token", "view_token")
    assert "make a new one" in browser.post(url, {**same, **more}).text
    token.refresh_from_db()
    assert (token.scopes, token.state) == (["chat:read"], "active")
    assert browser.post(url, same).status_code == 302
    token.refresh_from_db()
    assert token.state == "expired"


def test_a_list_that_can_be_edited_widens_nothing_either(
    helper: Helper, narrow: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens: Any = admin.site.get_model_admin(Token)
    monkeypatch.setattr(tokens, "list_editable", ("expires_at",))
    sent = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(narrow.pk), "_save": "Save"}
    browser = helper("change_token", "view_token")
    answer = browser.post(
        reverse(TOKENS), {**sent, "form-0-expires_at_0": "2099-01-01", "form-0-expires_at_1": "00:00"}
    )
    assert answer.status_code == 403
    assert Token.objects.get().state == "expired"


def test_a_token_s_name_scopes_and_end_can_be_changed(staff: Client, token: Token, secret: str) -> None:
    change = {"name": "desk", "scopes": ["chat:read"], "expires_at_0": "2100-01-01", "expires_at_1": "00:00"}
    answer = staff.post(reverse("admin:accounts_token_change", args=[token.pk]), change)
    assert answer.status_code == 302
    found = Token.authenticate(secret)
    assert found is not None
    assert (found.name, found.scopes) == ("desk", ["chat:read"])
    assert found.expires_at is not None
    assert found.expires_at.year == 2100


def test_a_scope_that_is_not_offered_is_kept(staff: Client, alice: User) -> None:
    token, _ = Token.issue(alice, "narrow", ["chat:write:team.*"])
    url = reverse("admin:accounts_token_change", args=[token.pk])
    assert 'value="chat:write:team.*"' in staff.get(url).text
    staff.post(url, {"name": "narrower", "scopes": ["chat:write:team.*"]})
    token.refresh_from_db()
    assert (token.name, token.scopes) == ("narrower", ["chat:write:team.*"])


def test_a_token_s_owner_cannot_be_changed(staff: Client, token: Token, alice: User, bob: User) -> None:
    change = {"name": "laptop", "scopes": ["*"], "owner": bob.pk}
    staff.post(reverse("admin:accounts_token_change", args=[token.pk]), change)
    token.refresh_from_db()
    assert token.owner == alice


def test_no_admin_page_shows_the_digest(staff: Client, token: Token) -> None:
    for url in (reverse(TOKENS), reverse("admin:accounts_token_change", args=[token.pk])):
        answer = staff.get(url)
        assert token.prefix in answer.text
        assert token.digest not in answer.text


def test_the_revoke_action_revokes_and_is_logged(staff: Client, token: Token, secret: str) -> None:
    answer = staff.post(reverse(TOKENS), {"action": "revoke", "_selected_action": [token.pk]}, follow=True)
    assert "Revoked: laptop" in answer.text
    assert Token.authenticate(secret) is None
    assert LogEntry.objects.get().change_message == "Revoked."


@pytest.mark.parametrize(("state", "shown"), [("active", True), ("expired", False), ("revoked", False)])
def test_tokens_are_found_by_state(staff: Client, token: Token, state: str, shown: bool) -> None:
    answer = staff.get(reverse(TOKENS), {"state": state})
    assert (token in answer.context["cl"].queryset) is shown


def test_tokens_of_deactivated_users_are_a_state_of_their_own(staff: Client, token: Token) -> None:
    User.objects.filter(pk=token.owner_id).update(is_active=False)
    for state, shown in (("active", 0), ("owner deactivated", 1)):
        assert staff.get(reverse(TOKENS), {"state": state}).context["cl"].queryset.count() == shown


@pytest.mark.parametrize("query", ["laptop", "alice"])
def test_tokens_are_found_by_name_and_owner(staff: Client, token: Token, query: str) -> None:
    assert token in staff.get(reverse(TOKENS), {"q": query}).context["cl"].queryset


def test_the_list_of_users_counts_usable_tokens(staff: Client, token: Token, alice: User) -> None:
    Token.issue(alice, "old")[0].revoke()
    answer = staff.get(reverse(USERS))
    assert answer.context["cl"].queryset.get(username="alice").usable_tokens == 1
    link = f"{reverse(TOKENS)}?owner__id__exact={alice.pk}&amp;state=active"
    assert f'<a href="{link}">1</a>' in answer.text


def test_the_link_to_a_user_s_tokens_lists_them(staff: Client, token: Token, alice: User, bob: User) -> None:
    Token.issue(bob, "phone")
    answer = staff.get(reverse(TOKENS), {"owner__id__exact": str(alice.pk), "state": "active"})
    assert list(answer.context["cl"].queryset) == [token]


def test_deleting_a_user_tells_that_their_messages_stay(staff: Client, alice: User) -> None:
    one = staff.get(reverse("admin:auth_user_delete", args=[alice.pk]))
    many = staff.post(reverse(USERS), {"action": "delete_selected", "_selected_action": [alice.pk]})
    for answer in (one, many):
        assert "What a deleted user wrote stays" in answer.text


def test_a_user_and_their_tokens_can_be_deleted(staff: Client, token: Token, alice: User) -> None:
    staff.post(reverse("admin:auth_user_delete", args=[alice.pk]), {"post": "yes"})
    assert not Token.objects.exists()
    assert not User.objects.filter(username="alice").exists()


def test_admin_makes_no_user_named_like_a_guest(staff: Client) -> None:
    form = {"username": "Guest-7", "password1": "battery staple 7", "password2": "battery staple 7"}
    answer = staff.post(reverse("admin:auth_user_add"), form | {"usable_password": "true"})
    assert "kept for guests" in answer.text


def test_admin_says_where_one_is(staff: Client) -> None:
    assert "Chorus" in staff.get(reverse("admin:index")).text


def test_admin_makes_no_token_too_many(staff: Client, token: Token, alice: User, settings: Settings) -> None:
    settings.CHORUS_TOKENS_PER_USER = 1
    answer = staff.post(reverse("admin:accounts_token_add"), new(alice))
    assert "Revoke one first." in answer.text
    assert Token.objects.count() == 1
