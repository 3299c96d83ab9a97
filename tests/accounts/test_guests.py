"""Guests and their cookie."""

from http.cookies import Morsel

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import ResolverMatch
from pytest_django import Settings

from accounts import guests
from accounts.guests import COOKIE, GuestCookieMiddleware, guest_key, new_guest_key


def visit(
    path: str = "/",
    cookie: str = "",
    *,
    user: User | None = None,
    app: str = "",
    page: HttpResponse | None = None,
) -> tuple[HttpRequest, HttpResponseBase]:
    """Let somebody open a page through the middleware; gives the request the page saw, and the answer."""
    request = RequestFactory(headers={"cookie": f"{COOKIE}={cookie}"} if cookie else {}).get(path)
    request.user = user or AnonymousUser()
    request.resolver_match = ResolverMatch(visit, (), {}, app_names=[app] if app else [])
    middleware = GuestCookieMiddleware(lambda _: page or HttpResponse("hello"))
    response = middleware(request)
    assert isinstance(response, HttpResponseBase)
    return request, response


def cookie_of(response: HttpResponseBase) -> Morsel[str]:
    """The guest cookie that the answer sets."""
    morsel: Morsel[str] = response.cookies[COOKIE]
    return morsel


def test_a_guest_who_opens_a_page_gets_a_cookie_with_the_key_the_page_saw() -> None:
    request, response = visit()
    assert guest_key({COOKIE: cookie_of(response).value}) == request.guest_key  # type: ignore[attr-defined]


def test_the_cookie_is_out_of_reach_of_scripts_and_foreign_sites() -> None:
    cookie = cookie_of(visit()[1])
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 365 * 24 * 3600


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookie_is_as_secure_as_the_session_s(settings: Settings, secure: bool) -> None:
    settings.SESSION_COOKIE_SECURE = secure
    assert bool(cookie_of(visit()[1])["secure"]) is secure


def test_a_guest_is_known_again_and_the_cookie_left_alone() -> None:
    first, response = visit()
    again, answer = visit(cookie=cookie_of(response).value)
    assert again.guest_key == first.guest_key  # type: ignore[attr-defined]
    assert COOKIE not in answer.cookies


def test_a_key_that_we_did_not_sign_is_replaced() -> None:
    request, response = visit(cookie="someone-elses-key")
    assert request.guest_key != "someone-elses-key"  # type: ignore[attr-defined]
    assert COOKIE in response.cookies


def test_a_signature_of_another_purpose_is_not_good() -> None:
    assert guest_key({COOKIE: signing.TimestampSigner(salt="other").sign("key")}) is None


def test_a_cookie_is_good_for_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    cookies = {COOKIE: cookie_of(visit()[1]).value}
    monkeypatch.setattr(guests, "MAX_AGE", -1)
    assert guest_key(cookies) is None


def test_a_user_gets_no_guest_cookie(alice: User) -> None:
    assert COOKIE not in visit(user=alice)[1].cookies


@pytest.mark.parametrize("path", ["/static/page.html", "/api/docs"])
def test_files_and_the_api_set_no_cookie(path: str) -> None:
    assert COOKIE not in visit(path)[1].cookies


def test_admin_sets_no_cookie() -> None:
    assert COOKIE not in visit("/control/", app="admin")[1].cookies


@pytest.mark.parametrize("page", [JsonResponse({}), HttpResponse("gone", status=404), HttpResponse("", status=302)])
def test_what_is_not_a_page_sets_no_cookie(page: HttpResponse) -> None:
    assert COOKIE not in visit(page=page)[1].cookies


def test_keys_are_random() -> None:
    assert len({new_guest_key() for _ in range(100)}) == 100


@pytest.mark.parametrize("name", ["Guest-1234", "guest-1", "GUEST-000000", "Guest-١٢"])
def test_no_user_may_be_named_like_a_guest(db: None, name: str) -> None:
    with pytest.raises(ValidationError, match="kept for guests"):
        User(username=name, password="x").full_clean()


@pytest.mark.parametrize("name", ["guest", "guest-", "guest-1a", "guest-one", "my-guest-1"])
def test_other_names_with_guest_in_them_are_fine(db: None, name: str) -> None:
    User(username=name, password="x").full_clean()


def test_the_user_model_s_definition_stays_as_it_was() -> None:
    _, _, _, options = User._meta.get_field("username").deconstruct()
    assert guests.not_a_guest_name not in options.get("validators", [])


def test_a_guest_stays_the_same_under_a_new_key_and_after_the_old_one_is_given_up(
    client: Client, db: None, settings: Settings
) -> None:
    old = client.get("/").cookies[COOKIE].value
    key = guest_key({COOKIE: old})
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new one", [settings.SECRET_KEY]
    assert guest_key({COOKIE: old}) == key
    new = client.get("/").cookies[COOKIE].value
    assert COOKIE not in client.get("/").cookies  # it was signed anew once
    settings.SECRET_KEY_FALLBACKS = []
    assert guest_key({COOKIE: old}) is None
    assert guest_key({COOKIE: new}) == key
