"""Where a reader of a room is: what is new, the way to the newest, and what can be done to a message."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_history import FILL
from tests.browser.test_room import connected, say
from tests.processes import Server

TOUCH: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
LOOK_AWAY = """away => {
  Object.defineProperty(document, "hidden", { value: away, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def long_room(server: Server, room: str) -> str:
    """A room with more messages than a window shows."""
    server.shell(FILL.format(room=room, count=60))
    return room


def scroll_up(page: Page) -> None:
    page.locator("[data-log]").evaluate("log => log.scrollTop = 300")


def divider(page: Page) -> Any:
    return expect(page.locator(".divider"))


def test_whoever_scrolls_up_finds_the_way_back(visit: Visit, long_room: str) -> None:
    page = connected(visit(f"/chat/{long_room}/"))
    jump = page.get_by_role("button", name="Jump to newest")
    expect(jump).to_be_hidden()
    scroll_up(page)
    jump.click()
    expect(page.get_by_text("message 59", exact=True)).to_be_in_viewport()
    expect(jump).to_be_hidden()
    divider(page).to_have_count(0)


def test_what_came_while_one_looked_away_is_divided_until_it_is_read(visit: Visit, room: str) -> None:
    alice, bob = (connected(visit(f"/chat/{room}/", name=name)) for name in ("alice", "bob"))
    say(bob, "before")
    expect(alice.get_by_text("before", exact=True)).to_be_visible()
    alice.evaluate(LOOK_AWAY, True)
    for text in ("one", "two"):
        say(bob, text)
    divider(alice).to_have_text("New")
    expect(alice.locator(".divider + .group .message-text")).to_have_text(["one", "two"])
    alice.evaluate(LOOK_AWAY, False)
    divider(alice).to_be_visible()
    divider(alice).to_have_count(0)


def test_what_came_while_one_read_the_past_is_divided(visit: Visit, long_room: str) -> None:
    reader, writer = connected(visit(f"/chat/{long_room}/")), connected(visit(f"/chat/{long_room}/"))
    scroll_up(reader)
    say(writer, "news")
    divider(reader).to_have_count(1)
    reader.get_by_role("button", name="1 new message").click()
    divider(reader).to_be_in_viewport()
    divider(reader).to_have_count(0)


def test_what_is_read_as_it_comes_is_not_divided(visit: Visit, room: str) -> None:
    alice, bob = (connected(visit(f"/chat/{room}/", name=name)) for name in ("alice", "bob"))
    say(bob, "now")
    expect(alice.get_by_text("now", exact=True)).to_be_visible()
    divider(alice).to_have_count(0)


def test_a_tap_on_ones_message_offers_to_delete_it(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/", name="alice", **TOUCH))
    for text in ("first", "second"):
        page.get_by_label("Message to").fill(text)
        page.get_by_role("button", name="Send").tap()
    first, second = (page.get_by_role("button", name=f"Delete message: {text}") for text in ("first", "second"))
    for button in (first, second):
        expect(button).to_have_css("opacity", "0")
    page.get_by_text("first", exact=True).tap()
    expect(first).to_have_css("opacity", "1")
    page.get_by_text("second", exact=True).tap()
    expect(first).to_have_css("opacity", "0")
    second.tap()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_delete_shows_by_mouse_and_keyboard_alone(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/", name="alice"))
    say(page, "mine")
    button = page.get_by_role("button", name="Delete message: mine")
    expect(button).to_have_css("opacity", "0")
    page.get_by_text("mine", exact=True).hover()
    expect(button).to_have_css("opacity", "1")
    page.mouse.move(0, 0)
    expect(button).to_have_css("opacity", "0")
    page.get_by_label("Message to").focus()
    page.keyboard.press("Shift+Tab")
    expect(button).to_be_focused()
    expect(button).to_have_css("opacity", "1")
