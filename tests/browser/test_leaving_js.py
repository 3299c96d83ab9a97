"""What pages ask about before they are left (leaving.js)."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.leaving import asks
from tests.browser.test_room import connected, say


def test_clicks_that_wait_ask(visit: Visit, room: str) -> None:
    page = visit("/")
    page.route_web_socket(re.compile("/ws/counter/"), lambda _: None)
    page.goto(f"/counter/{room}/")
    assert not asks(page)
    page.get_by_role("button", name="Plus one").click()
    expect(page.locator("[data-pending]")).to_contain_text("1 click")
    assert asks(page)


def test_clicks_that_were_counted_ask_nothing(visit: Visit, room: str) -> None:
    page = visit(f"/counter/{room}/")
    page.get_by_role("button", name="Plus one").click()
    expect(page.locator("[data-number]")).to_have_text("1")
    assert not asks(page)


def test_a_notification_that_was_written_asks_until_it_is_published(visit: Visit, room: str) -> None:
    page = visit("/notifications/")
    form = page.locator("[data-publish]")
    form.get_by_label("Topic").fill(room)
    assert not asks(page)
    form.get_by_label("Message").fill("half")
    assert asks(page)
    form.get_by_role("button", name="Publish").click()
    expect(form.locator("[data-publish-state]")).to_contain_text("Published")
    assert not asks(page)


def test_the_browser_asks_and_who_stays_loses_nothing(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/"))
    say(page, "a bell: \a")
    expect(page.locator(".unsent-state")).to_contain_text("Not sent")
    with page.expect_event("dialog") as asked:
        page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    expect(page.locator(".unsent-state")).to_contain_text("Not sent")
