"""What goes with every answer in production: policies for content, frames and referrers, HSTS, and safe cookies."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, include, path, reverse
from pytest_django import Settings

from accounts.models import Token
from chat.models import Room
from config.settings import CONTENT_SECURITY_POLICY
from counter.models import Counter
from notifications.models import Topic
from tests.processes import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

ALWAYS = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": f"max-age={30 * 24 * 3600}",
}


def fail(_request: HttpRequest) -> HttpResponse:
    """A defect."""
    raise RuntimeError("a defect")


urlpatterns = [path("defect/", fail), path("", include("config.urls"))]


@pytest.fixture(autouse=True)
def _production(settings: Settings) -> None:
    """What HTTPS=1, which DEBUG=0 implies, makes of the settings; see test_settings."""
    settings.SECURE_HSTS_SECONDS = 30 * 24 * 3600
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True


@pytest.fixture
def admin(root: User) -> Client:
    """Root's browser."""
    client = Browser()
    client.force_login(root)
    return client


class Browser(Client):
    """A browser that comes by HTTPS, and is shown what a defect looks like."""

    def __init__(self, *, enforce_csrf_checks: bool = False) -> None:
        super().__init__(enforce_csrf_checks, raise_request_exception=False)

    def generic(self, *args: Any, **options: Any) -> Any:
        return super().generic(*args, **{**options, "secure": True})


def check(answer: Any) -> None:
    """Assert that nothing is missing."""
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    directives = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert directives["default-src"] == directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    for cookie in answer.cookies.values():
        assert cookie["secure"], cookie
        assert cookie["samesite"] == "Lax"
        assert cookie["httponly"] or cookie.key == "csrftoken"


def plain_pages(patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "") -> Iterator[str]:
    """Every address of this site without a part that varies."""
    for pattern in get_resolver("config.urls").url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(pattern, URLResolver):
            yield from plain_pages(pattern.url_patterns, route)
        elif not re.search(r"[<(\\?*]", route):
            yield f"/{route}"


PAGES = sorted(set(plain_pages()))


def test_the_pages_are_all_of_them() -> None:
    lists = {reverse(f"admin:{name}_changelist") for name in ("auth_user", "accounts_token", "chat_room")}
    assert lists | {"/", "/console/", "/chat/", "/accounts/login/", "/admin/", "/api/docs", "/api/me"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_them_for_guests_and_for_staff(page: str, admin: Client) -> None:
    check(Browser().get(page))
    check(admin.get(page))


def test_pages_of_things_have_them(admin: Client, lobby: Room, token: Token, root: User) -> None:
    topic, number = Topic.objects.create(name="alerts"), Counter.objects.create(name="visits")
    for thing in (lobby, topic, number, token, root):
        name = f"admin:{thing._meta.app_label}_{thing._meta.model_name}"
        for view in ("change", "history", "delete"):
            answer = admin.get(reverse(f"{name}_{view}", args=[thing.pk]))
            assert answer.status_code == 200
            check(answer)
    for path_ in ("/chat/lobby/", "/counter/visits/", "/api/chat/lobby/messages/"):
        check(admin.get(path_))


def test_errors_have_them(settings: Settings, alice: User) -> None:
    settings.ROOT_URLCONF = __name__
    client = Browser()
    missing, defect = client.get("/nothing/"), client.get("/defect/")
    strict = Browser(enforce_csrf_checks=True).post(reverse("login"))
    settings.AXES_FAILURE_LIMIT = 1
    form = {"username": "alice", "password": "wrong"}
    wrong, locked = [client.post(reverse("login"), form) for _ in range(2)]
    answers = (missing, defect, strict, wrong, locked)
    assert [answer.status_code for answer in answers] == [404, 500, 403, 200, 429]
    for answer in answers:
        check(answer)


def test_a_login_s_cookies_are_safe(alice: User) -> None:
    answer = Browser().post(reverse("login"), {"username": "alice", "password": PASSWORD})
    assert "sessionid" in answer.cookies
    check(answer)


def test_the_policy_allows_nothing_from_anywhere_else() -> None:
    sources = {source for directive in CONTENT_SECURITY_POLICY["DIRECTIVES"].values() for source in directive}
    assert sources == {"'none'", "'self'", "data:"}


@pytest.mark.parametrize("page", ["/", "/api/docs", "/admin/"])
def test_no_page_has_script_or_style_that_the_policy_forbids(page: str, admin: Client) -> None:
    text = admin.get(page).text
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*type=.application/json)[^>]*>", text)
    assert not re.search(r"<style|\sstyle=|\son\w+=", text)
