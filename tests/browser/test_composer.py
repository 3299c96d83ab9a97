"""Where one writes in a room: drafts, Enter on a keyboard and on a phone, and leaving with something unsent."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, session_of
from tests.browser.leaving import asks
from tests.browser.test_reading import TOUCH
from tests.browser.test_room import connected, messages, say
from tests.processes import Server

FULL = """() => {
  Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };
}"""
DENIED = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("denied", "SecurityError"); }
});"""


def field(page: Page) -> Any:
    return expect(page.get_by_label("Message to"))


def write(page: Page, text: str) -> Page:
    page.get_by_label("Message to").fill(text)
    return page


def test_a_draft_outlives_a_reload_and_closing(visit: Visit, room: str) -> None:
    page = write(connected(visit(f"/chat/{room}/", name="alice")), "half a thought\nand more")
    page.reload()
    field(page).to_have_value("half a thought\nand more")
    page.close()
    page = page.context.new_page()
    page.goto(f"/chat/{room}/")
    field(page).to_have_value("half a thought\nand more")


def test_a_draft_is_of_one_room_and_gone_once_sent(visit: Visit, room: str) -> None:
    page = write(connected(visit(f"/chat/{room}/")), "for here")
    page.goto(f"/chat/{room}-2/")
    field(connected(page)).to_have_value("")
    page.goto(f"/chat/{room}/")
    field(connected(page)).to_have_value("for here")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("log")).to_contain_text("for here")
    page.reload()
    field(connected(page)).to_have_value("")


def test_nobody_finds_the_draft_of_who_used_the_browser_before(visit: Visit, room: str, server: Server) -> None:
    page = write(connected(visit(f"/chat/{room}/", name="alice")), "mine alone")
    for name in ("bob", None):
        page.context.clear_cookies()
        page.context.add_cookies(session_of(server, name) if name else [])
        page.goto(f"/chat/{room}/")
        field(connected(page)).to_have_value("")


def test_drafts_are_few(visit: Visit) -> None:
    page = visit("/")
    script = """async () => {
      const { Draft } = await import("/static/chat/draft.js");
      localStorage.setItem("chorus draft broken", "{");
      for (let n = 0; n < 50; n++) new Draft(`room-${n}`).save("x".repeat(30_000));
      const kept = Object.entries(localStorage).filter(([key]) => key.startsWith("chorus draft "));
      return [kept.length, Math.max(...kept.map(([, value]) => value.length)), new Draft("room-49").load().length];
    }"""
    count, longest, newest = page.evaluate(script)
    assert (count, newest) == (20, 20_000)
    assert longest < 20_100


@pytest.mark.parametrize("broken", [FULL, f"() => {{ {DENIED} }}"], ids=["full", "denied"])
def test_without_storage_one_writes_and_is_asked_before_leaving(visit: Visit, room: str, broken: str) -> None:
    page = visit("/")
    page.context.add_init_script(f"({broken})()")
    page.goto(f"/chat/{room}/")
    connected(page).get_by_label("Message to").press_sequentially("not kept")
    assert asks(page)
    page.get_by_label("Message to").press("Enter")
    expect(page.get_by_role("log")).to_contain_text("not kept")
    expect(page.locator(".unsent")).to_have_count(0)
    assert not asks(page)


def test_a_kept_draft_and_what_was_acknowledged_ask_nothing(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/"))
    say(page, "sent")
    expect(page.get_by_role("log")).to_contain_text("sent")
    page.get_by_label("Message to").press_sequentially("a draft")
    assert not asks(page)


def test_what_waits_to_be_sent_asks_before_leaving(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/"))
    say(page, "a bell: \a")
    expect(page.locator(".unsent-state")).to_contain_text("Not sent")
    assert asks(page)
    page.get_by_role("button", name="Discard").click()
    assert not asks(page)


def test_on_a_phone_enter_starts_a_line_and_a_button_sends(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/", **TOUCH))
    box = page.get_by_label("Message to")
    expect(box).to_have_attribute("enterkeyhint", "enter")
    expect(page.locator("#composer-help")).to_contain_text("The button sends, Enter starts a new line")
    box.press_sequentially("first")
    box.press("Enter")
    box.press_sequentially("second")
    expect(box).to_have_value("first\nsecond")
    page.get_by_role("button", name="Send").tap()
    expect(page.locator(".messages .message-text")).to_have_text("first\nsecond", use_inner_text=True)


def test_with_a_keyboard_enter_sends(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/"))
    expect(page.get_by_label("Message to")).to_have_attribute("enterkeyhint", "send")
    expect(page.locator("#composer-help")).to_contain_text("Enter sends, Shift Enter starts a new line")
    say(page, "Hello")
    expect(page.get_by_role("log")).to_contain_text("Hello")
    assert messages(page) == ["Hello"]
