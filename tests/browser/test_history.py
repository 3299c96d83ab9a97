"""Older messages of a room, and the reader's place among them."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_room import connected, say
from tests.processes import Server

FILL = """
from datetime import timedelta
from django.db import transaction
from django.db.models import F
from chat.models import Message, Room
from realtime.access import Identity
room, _ = Room.objects.get_or_create(name={room!r})
with transaction.atomic():
    for number in range({count}):
        room.post(Identity("guest:test", "Guest-1234"), f"message {{number}}")
Message.objects.filter(stream=room, seq__lte=40).update(created_at=F("created_at") - timedelta(days=1))
"""


@pytest.fixture
def full_room(server: Server, room: str) -> str:
    """A room with 130 messages, the first 40 of them from yesterday."""
    server.shell(FILL.format(room=room, count=130))
    return room


def top(page: Page) -> float:
    box = page.get_by_text("message 80", exact=True).bounding_box()
    assert box is not None
    return box["y"]


def test_older_messages_come_on_scrolling_up_and_the_place_is_kept(visit: Visit, full_room: str) -> None:
    page = connected(visit(f"/chat/{full_room}/"))
    expect(page.locator(".message")).to_have_count(50)
    expect(page.get_by_text("message 129", exact=True)).to_be_in_viewport()
    log = page.locator("[data-log]")
    log.evaluate("log => log.scrollTop = 70")  # not yet at the top
    before = top(page)
    log.evaluate("log => { log.scrollTop = 50; }")
    expect(page.locator(".message")).to_have_count(100)
    assert top(page) == pytest.approx(before + 20, abs=1)
    log.evaluate("log => log.scrollTop = 0")
    expect(page.locator(".message")).to_have_count(130)
    expect(page.get_by_text("This is the beginning.")).to_be_attached()
    expect(page.locator(".messages .message-text")).to_have_text([f"message {n}" for n in range(130)])
    expect(page.locator(".day")).to_have_text(["Yesterday", "Today"])


def test_history_needs_no_mouse(visit: Visit, full_room: str) -> None:
    page = connected(visit(f"/chat/{full_room}/"))
    page.get_by_role("button", name="Older messages").press("Enter")
    expect(page.locator(".message")).to_have_count(100)


def test_news_do_not_move_who_reads_the_past(visit: Visit, full_room: str) -> None:
    reader, writer = connected(visit(f"/chat/{full_room}/")), connected(visit(f"/chat/{full_room}/"))
    reader.locator("[data-log]").evaluate("log => log.scrollTop = 200")
    place = top(reader)
    say(writer, "news")
    button = reader.get_by_role("button", name="1 new message")
    expect(button).to_be_visible()
    assert top(reader) == place
    button.click()
    expect(reader.get_by_text("news", exact=True)).to_be_in_viewport()
    expect(button).to_be_hidden()
