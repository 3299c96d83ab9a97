"""Lists of admin at 1,280 pixels: all columns are there at once, beside menu and filters, whatever is in them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser.conftest import Visit, visiting
from tests.processes import Server, serve

LISTS = (
    *("auth/user", "auth/group", "accounts/token", "admin/logentry"),
    *("chat/room", "chat/message", "chat/sanction", "counter/counter"),
    *("notifications/topic", "notifications/notification"),
)
BESIDE_A_SCROLLBAR: ViewportSize = {"width": 1280 - 15, "height": 800}
"""Chromium without a window has no scrollbar; people's takes this much."""
FILL = """
from datetime import timedelta
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from accounts.models import Token
from chat.models import Room, Sanction
from counter.models import Counter
from notifications.models import Topic
from realtime.access import Identity

User.objects.filter(username="alice").update(username="a" * 150)
name, word = "n" * 64, "Rindfleischetikettierung"
title = (word + " ") * 6 + "t" * 50
for many in range(3):
    user = User.objects.create_user(f"{many}" + "u" * 149, "e" * 50 + "@" + "d" * 60 + ".example.com", "x")
    User.objects.filter(pk=user.pk).update(first_name="f" * 150, last_name="l" * 150, last_login=user.date_joined)
    Group.objects.create(name=f"{many}" + "g" * 149)
    Token.issue(user, "t" * 100, ["chat:read", "chat:write", "counter:write", "notifications:publish:backups.*"])
    Token.objects.update(last_used_at=user.date_joined)
    who = Identity.of_user(user)
    room = Room.objects.create(name=f"{many}" + name[1:], title=title)
    room.post(who, "w" * 500)
    room.sanction(Sanction.Kind.BAN, who, user, reason="r" * 200, seconds=999)
    Counter.objects.create(name=f"{many}" + name[1:], title=title, value=-2**52)
    Topic.objects.create(name=f"{many}" + name[1:], title=title).publish(who, "m" * 500, title="p" * 100, priority=5)
    LogEntry.objects.log_actions(user.pk, [room], 2, "c" * 300, single_object=True)
"""
MEASURE = """() => {
  const results = document.querySelector(".results"), page = document.documentElement;
  const right = Math.max(...[...results.querySelectorAll("th, td")].map((cell) => cell.getBoundingClientRect().right));
  const filter = document.getElementById("changelist-filter");
  const over = filter ? filter.getBoundingClientRect().left : page.clientWidth;
  return [results.scrollWidth - results.clientWidth, page.scrollWidth - page.clientWidth, Math.max(right - over, 0)];
}"""


@pytest.fixture(scope="module")
def full(browser: Browser) -> Iterator[Server]:
    """A site whose names and texts are as long as they may be."""
    with serve() as running:
        running.shell(FILL)
        yield running


@pytest.fixture
def look(browser: Browser, full: Server, problems: list[str]) -> Iterator[Visit]:
    """Open a page of it."""
    with visiting(browser, full, problems) as opened:
        yield opened


@pytest.mark.parametrize("order", ["", "?o=1.-2.3.4.5.6.7"])
@pytest.mark.parametrize("name", LISTS)
def test_all_columns_are_seen(look: Visit, name: str, order: str) -> None:
    page = look(f"/admin/{name}/{order}", name="root", viewport=BESIDE_A_SCROLLBAR)
    expect(page.locator("#result_list tbody tr").first).to_be_visible()
    assert page.evaluate(MEASURE) == [0, 0, 0]


def test_of_open_connections_too(look: Visit) -> None:
    room = "0" + "n" * 63
    reader = look(f"/chat/{room}/", name="alice")
    expect(reader.locator(".room-status .badge")).to_have_text("Connected")
    page = look("/admin/realtime/connection/", name="root", viewport=BESIDE_A_SCROLLBAR)
    expect(page.locator(".results tbody tr")).to_have_count(1)
    assert page.evaluate(MEASURE) == [0, 0, 0]
    assert "Disconnect…" in page.locator(".results tbody tr").inner_text()
