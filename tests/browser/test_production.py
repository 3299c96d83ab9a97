"""The pages with DEBUG off: files under hashed names, our own error pages, guests who read."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_room import connected, say
from tests.processes import Server, manage, serve

PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "tests.servers.production_settings",
    "DEBUG": "0",
    "HTTPS": "0",
    "ALLOWED_HOSTS": "127.0.0.1",
    "REDIS_URL": "memory://",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The site as on a closed network: production without HTTPS."""
    data_dir = tmp_path_factory.mktemp("data")
    manage("collectstatic", "--no-input", env=PRODUCTION, data_dir=data_dir)
    with serve(PRODUCTION, data_dir=data_dir) as running:
        yield running


def forgive(problems: list[str]) -> None:
    """Browsers report an error page that one asks for."""
    problems[:] = [problem for problem in problems if "responded with a status of 40" not in problem]


def test_a_guest_is_promised_nothing_that_guests_may_not(visit: Visit, site: Server) -> None:
    page = visit("/notifications/", at=site)
    expect(page.locator("[data-empty-words]")).to_contain_text("Who may add topics makes the first one.")


def test_staff_make_a_room_members_write_and_guests_read(
    visit: Visit, site: Server, room: str, problems: list[str]
) -> None:
    root = visit(f"/chat/{room}/", name="root", at=site)
    root.get_by_role("link", name="Make this room").click()
    expect(root.get_by_label("Name")).to_have_value(room)
    root.get_by_role("button", name="Save", exact=True).click()
    root.get_by_role("row", name=room).get_by_role("link", name="Open page").click()
    connected(root)
    forgive(problems)
    alice = connected(visit(f"/chat/{room}/", name="alice", at=site))
    guest = connected(visit(f"/chat/{room}/", at=site))
    expect(guest.get_by_text("Guests may read here. Log in to write.")).to_be_visible()
    say(alice, "Hello")
    for page in (root, guest):
        expect(page.locator(".messages .message-text")).to_have_text("Hello")
    expect(root.get_by_role("button", name="Delete message: Hello")).to_be_attached()
    expect(guest.get_by_role("button", name="Delete message")).to_have_count(0)


@pytest.mark.parametrize("path", ["/nowhere/", "/chat/no-such-room/", "/chat/-bad/", "/chat/%F0%9F%8E%89/"])
def test_what_is_not_there_is_said_in_our_own_words(visit: Visit, site: Server, path: str, problems: list[str]) -> None:
    page = visit(path, at=site)
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    forgive(problems)


def test_a_room_that_is_not_for_guests_is_not_there_for_them(
    visit: Visit, site: Server, room: str, problems: list[str]
) -> None:
    make = f"from chat.models import Room; Room.objects.create(name={room!r}, guest_access='none')"
    site.shell(make)
    page = visit("/chat/", at=site)
    expect(page.get_by_role("heading", name="Open a room")).to_be_visible()
    expect(page.get_by_role("link", name=room)).to_have_count(0)
    page.goto(f"/chat/{room}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    connected(visit(f"/chat/{room}/", name="alice", at=site))
    forgive(problems)


def test_a_form_without_its_cookie_is_explained(visit: Visit, site: Server, problems: list[str]) -> None:
    page = visit("/accounts/login/", at=site)
    page.context.clear_cookies()
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("That form was too old")
    forgive(problems)


def test_the_console_works_from_hashed_files(visit: Visit, site: Server) -> None:
    page = visit("/console/?route=/ws/echo/&send=Hi", at=site)
    assert "/console." in (page.locator("script[src*=console]").get_attribute("src") or "")
    page.get_by_role("button", name="Connect").click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator('.frame[data-direction="in"] .frame-preview')).to_have_text("Hi")


def test_a_moderator_who_is_no_staff_mutes_from_a_card(visit: Visit, site: Server, room: str) -> None:
    people = "from django.contrib.auth.models import *; from chat.models import Room; "
    given = "User.objects.get(username='bob').groups.add(Group.objects.get(name='Moderators'))"
    site.shell(f"{people}Room.objects.create(name='{room}'); {given}")
    alice = connected(visit(f"/chat/{room}/", name="alice", at=site))
    bob = connected(visit(f"/chat/{room}/", name="bob", at=site))
    bob.locator(".people-list").get_by_role("button", name="alice").click()
    bob.get_by_label("Reason").fill("Shouting")
    bob.get_by_role("button", name="Mute").click()
    expect(bob.get_by_role("dialog")).to_contain_text("by bob. Reason: Shouting")
    expect(alice.get_by_label("Message to")).to_be_disabled()
    expect(alice.locator("[data-rights]")).to_contain_text("Reason: Shouting")
