"""A name in a room opens a card: who it is, and for who keeps order, what is to be done."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Visit
from tests.processes import Server

GIVE = "from django.contrib.auth.models import *; bob = User.objects.get(username='bob'); "


@pytest.fixture
def bob_moderates(server: Server) -> Iterator[None]:
    """Bob is in the group Moderators, for as long as the test."""
    server.shell(f"{GIVE}bob.groups.add(Group.objects.get(name='Moderators'))")
    yield
    server.shell(f"{GIVE}bob.groups.clear(); bob.user_permissions.clear()")


def enter(visit: Visit, room: str, name: str | None = None, **options: object) -> Page:
    page = visit(f"/chat/{room}/", name=name, **options)
    expect(page.locator(".room-status .badge")).to_have_text("Connected")
    return page


def say(page: Page, text: str) -> None:
    page.get_by_label("Message to").fill(text)
    page.get_by_label("Message to").press("Enter")
    expect(page.get_by_role("log")).to_contain_text(text)


def card_of(page: Page, name: str) -> Locator:
    """Open somebody's card from Here now."""
    page.locator(".people-list").get_by_role("button", name=name).click()
    card = page.get_by_role("dialog", name=name)
    expect(card).to_be_visible()
    return card


def test_a_card_says_who_it_is_and_offers_nothing_to_others(visit: Visit, room: str) -> None:
    alice, guest = enter(visit, room, "alice"), enter(visit, room)
    say(alice, "Hello")
    name = guest.get_by_role("log").get_by_role("button", name="alice")
    name.focus()
    guest.keyboard.press("Enter")
    card = guest.get_by_role("dialog", name="alice")
    expect(card).to_contain_text("A member. Here now.")
    expect(card.get_by_role("button")).to_have_text(["Close"])
    guest.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(name).to_be_focused()


@pytest.mark.usefixtures("bob_moderates")
def test_a_moderator_mutes_and_lifts_from_the_card(visit: Visit, room: str) -> None:
    alice, bob = enter(visit, room, "alice"), enter(visit, room, "bob", viewport=PHONE)
    bob.locator(".people > summary").click()
    card = card_of(bob, "alice")
    expect(card).to_contain_text(re.compile(r"A member since .*Here since .*1 connection\."))
    card.get_by_label("For how long").select_option("600")
    card.get_by_label("Reason").fill("Shouting")
    assert bob.evaluate("document.documentElement.scrollWidth <= innerWidth")
    card.get_by_role("button", name="Mute").click()
    expect(card.get_by_role("status")).to_have_text("Muted.")
    expect(card.get_by_role("listitem")).to_contain_text(re.compile("Muted until .* by bob. Reason: Shouting"))
    expect(alice.locator("[data-rights]")).to_contain_text("Reason: Shouting")
    expect(alice.get_by_label("Message to")).to_be_disabled()
    card.get_by_role("button", name="Lift").click()
    expect(card.get_by_role("status")).to_have_text("Lifted.")
    expect(card.get_by_role("listitem")).to_have_count(0)
    expect(alice.get_by_label("Message to")).to_be_enabled()


@pytest.mark.usefixtures("bob_moderates")
def test_a_moderator_bans_a_guest_who_has_left(visit: Visit, room: str) -> None:
    bob, guest = enter(visit, room, "bob"), enter(visit, room)
    say(guest, "Buy now")
    expect(bob.get_by_role("log")).to_contain_text("Buy now")
    guest.goto("/")
    bob.get_by_role("log").get_by_role("button", name="Guest-").click()
    card = bob.get_by_role("dialog", name="Guest-")
    expect(card).to_contain_text("A guest is known by a cookie")
    card.get_by_label("For how long").select_option("")
    card.get_by_role("button", name="Ban").click()
    expect(card.get_by_role("listitem")).to_contain_text("Banned for good by bob.")


@pytest.mark.usefixtures("bob_moderates")
def test_a_disconnect_is_told_as_one(visit: Visit, room: str) -> None:
    alice, bob = enter(visit, room, "alice"), enter(visit, room, "bob")
    card = card_of(bob, "alice")
    card.get_by_role("button", name="Disconnect").click()
    expect(card.get_by_role("status")).to_have_text("Disconnected: 1 connection.")
    expect(alice.locator(".room-status")).to_contain_text("a moderator ended your connection")


@pytest.mark.usefixtures("bob_moderates")
def test_who_is_spared_has_a_card_that_says_why(visit: Visit, room: str) -> None:
    enter(visit, room, "root")
    bob = enter(visit, room, "bob")
    for name, why in (("root", "Superusers may do everything"), ("bob", "This is you")):
        card = card_of(bob, name)
        expect(card).to_contain_text(why)
        expect(card.get_by_role("button")).to_have_text(["Close"])
        card.get_by_role("button", name="Close").click()


def test_who_may_notify_people_does_it_from_the_card(visit: Visit, room: str) -> None:
    enter(visit, room, "alice")
    root = enter(visit, room, "root")
    card = card_of(root, "alice")
    card.get_by_label("Notification").fill("Lunch?")
    card.get_by_role("button", name="Notify").click()
    expect(card.get_by_role("status")).to_have_text("Notified.")
    notifications = visit("/notifications/", name="alice")
    expect(notifications.get_by_text("Lunch?").first).to_be_visible()
