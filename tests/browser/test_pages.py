"""What holds for every page, at each width and in each colour scheme."""

from itertools import product
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Visit

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

PAGES = (
    ("/", None),
    ("/chat/", None),
    ("/chat/lobby/", None),
    ("/counter/", None),
    ("/notifications/", None),
    ("/console/", None),
    ("/docs/", None),
    ("/docs/protocol/", None),
    ("/accounts/login/", None),
    ("/accounts/tokens/", "alice"),
    ("/accounts/password/", "alice"),
    ("/accounts/password/done/", "alice"),
)

UNNAMED = """
Array.from(document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, summary"))
  .filter((part) => part.checkVisibility())
  .filter((part) => !(part.textContent.trim() || part.ariaLabel || part.labels?.length || part.value))
  .map((part) => part.outerHTML)
"""


@pytest.mark.parametrize(("path", "name"), PAGES)
def test_pages_fit_and_nothing_is_blocked(visit: Visit, path: str, name: str | None) -> None:
    """No horizontal scrolling, no unnamed control, one heading; `problems` sees errors and violations."""
    page = visit(path, name=name)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    for viewport, scheme in product((PHONE, DESKTOP), SCHEMES):
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.evaluate(UNNAMED) == []


def test_the_first_tab_stop_skips_the_navigation(visit: Visit) -> None:
    page = visit("/chat/lobby/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the message field")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Message to")).to_be_focused()


@pytest.mark.parametrize("width", [390, 360])
@pytest.mark.parametrize("path", ["/", "/chat/lobby/", "/notifications/", "/chat/"])
def test_the_header_is_one_line_on_a_phone(visit: Visit, path: str, width: int) -> None:
    page = visit(path, name="root", viewport={"width": width, "height": 844})
    name = page.locator(".account-name")
    name.evaluate("place => (place.textContent = 'maximiliana.von-hohenstein@example.org')")
    parts = page.locator(".brand, .site-nav a, .site-account summary").all()
    middles = [box["y"] + box["height"] / 2 for part in parts if (box := part.bounding_box())]
    assert max(middles) - min(middles) < 6
    assert page.locator(".site-head").evaluate("head => head.offsetHeight") < 60


def test_a_room_on_a_phone_is_mostly_what_was_said(visit: Visit) -> None:
    page = visit("/chat/lobby/", name="alice", viewport={"width": 390, "height": 844})
    assert page.locator("[data-log]").evaluate("log => log.offsetHeight") > 0.7 * 844


def test_who_wants_less_motion_gets_none(visit: Visit) -> None:
    page = visit("/", reduced_motion="reduce")
    button = page.locator(".button").first
    assert button.evaluate("part => parseFloat(getComputedStyle(part).transitionDuration)") <= 0.001


def test_staff_find_admin_and_others_do_not(visit: Visit) -> None:
    expect(visit("/", name="root").get_by_role("link", name="Admin")).to_be_visible()
    expect(visit("/", name="alice").get_by_role("link", name="Admin")).to_have_count(0)
