"""What people type and press before a page's script has come (ready.js)."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.processes import Server


class Early:
    """A page whose script, so named, comes only when it is let through."""

    def __init__(self, page: Page, script: str) -> None:
        self.page, self._held = page, list[Route]()
        page.route(f"**/{script}", lambda route: self._held.append(route))

    def open(self, path: str) -> Page:
        """Go there, as far as the page comes without its script."""
        self.page.goto(path, wait_until="commit")
        self.page.wait_for_selector("main")
        return self.page

    def let_through(self) -> None:
        """Let the script come."""
        while not self._held:
            self.page.wait_for_timeout(20)
        self._held.pop().continue_()


@pytest.fixture
def early(visit: Visit) -> Callable[[str], Early]:
    """A page of alice's, without a script of this name."""
    return lambda script: Early(visit("/nothing-here/", name="alice"), script)


@pytest.fixture(autouse=True)
def _missing(problems: list[str]) -> Iterator[None]:
    """The page that these start from is none."""
    yield
    problems[:] = [problem for problem in problems if "404" not in problem]


def test_a_message_waits_in_its_field(early: Callable[[str], Early], room: str) -> None:
    waiting = early("room.js")
    page = waiting.open(f"/chat/{room}/")
    page.get_by_label("Message to").fill("early")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    waiting.let_through()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("log")).to_contain_text("early")
    assert page.url.endswith(f"/chat/{room}/")


def test_a_draft_and_what_was_typed_early_are_both_there(early: Callable[[str], Early], room: str) -> None:
    waiting = early("room.js")
    page = waiting.open(f"/chat/{room}/")
    waiting.let_through()
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    page.get_by_label("Message to").fill("a draft")
    waiting.open(f"/chat/{room}/")
    page.get_by_label("Message to").fill("early")
    waiting.let_through()
    expect(page.get_by_label("Message to")).to_have_value("a draft\nearly")


def test_a_counter_takes_no_click_that_it_would_not_count(early: Callable[[str], Early], room: str) -> None:
    waiting = early("counter.js")
    page = waiting.open(f"/counter/{room}/")
    plus = page.get_by_role("button", name="Plus one")
    expect(plus).to_be_disabled()
    waiting.let_through()
    plus.click()
    expect(page.locator("[data-number]")).to_have_text("1")


def test_a_notification_and_a_topic_wait_in_their_fields(
    early: Callable[[str], Early], room: str, server: Server
) -> None:
    waiting = early("notifications.js")
    page = waiting.open("/notifications/")
    name = page.locator("[name='name']")
    name.evaluate("(field, name) => { field.closest('details').open = true; field.value = name; }", room)
    name.press("Enter")
    for button in page.locator("[data-publish] .button, [data-subscribe] .button").all():
        expect(button).to_be_disabled()
    waiting.let_through()
    expect(name).to_have_value(room)
    page.get_by_role("button", name="Follow", exact=True).click()
    expect(page.get_by_role("checkbox", name=f"Follow {room}")).to_be_checked()
    assert page.url == f"{server.http}/notifications/"


def test_the_console_connects_once_it_can(early: Callable[[str], Early], server: Server) -> None:
    waiting = early("console.js")
    page = waiting.open("/console/?route=/ws/echo/")
    page.get_by_label("or type its address").press("Enter")
    expect(page.get_by_role("button", name="Connect", exact=True)).to_be_disabled()
    waiting.let_through()
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_role("button", name="Disconnect")).to_be_visible()
