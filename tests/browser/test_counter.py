"""A counter in two windows."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import PHONE, Visit, forgive
from tests.processes import Server, serve

MAKE = "from counter.models import Counter; Counter.objects.create(name={name!r}, **{values!r})"
ADD = """
from counter.models import Counter
from realtime.access import Identity
Counter.objects.get(name={name!r}).add(Identity("guest:test", "Guest-1234"), {delta})
"""
BACK_MS = 25_000
"""The longest wait before a page tries again, and some."""


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that may be killed; asked for before `visit`, so that it outlives the pages."""
    with serve() as running:
        yield running


def connected(page: Page) -> Page:
    expect(page.locator("[data-status] .badge")).to_have_text("Connected")
    return page


def number(page: Page) -> Any:
    return expect(page.locator(".counter-number"))


def plus(page: Page, times: int = 1) -> None:
    for _ in range(times):
        page.get_by_role("button", name="Plus one").click()


def test_two_windows_see_each_other_count(visit: Visit, room: str) -> None:
    alice, guest = (connected(visit(f"/counter/{room}/", name=name)) for name in ("alice", None))
    plus(alice, 3)
    number(guest).to_have_text("3")
    guest.get_by_role("button", name="Minus one").click()
    for page in (alice, guest):
        number(page).to_have_text("2")
    guest.reload()
    number(guest).to_have_text("2")


def test_the_keys_count_but_not_while_one_types(visit: Visit, room: str) -> None:
    page = connected(visit(f"/counter/{room}/"))
    for key in ("+", "+", "="):
        page.keyboard.press(key)
    page.keyboard.press("-")
    number(page).to_have_text("2")
    page.get_by_label("Name of the counter").press_sequentially("a-b+c")
    expect(page.get_by_label("Name of the counter")).to_have_value("a-b+c")
    page.keyboard.press("Tab")
    page.keyboard.press("-")
    number(page).to_have_text("1")


def test_users_online_are_counted(visit: Visit, room: str) -> None:
    first = connected(visit(f"/counter/{room}/"))
    expect(first.locator("[data-users]")).to_have_text("1 online")
    second = connected(visit(f"/counter/{room}/"))
    for page in (first, second):
        expect(page.locator("[data-users]")).to_have_text("2 online")
    second.close()
    expect(first.locator("[data-users]")).to_have_text("1 online", timeout=10_000)


def test_clicks_wait_for_the_server_and_count_once(
    own_server: Server, visit: Visit, room: str, problems: list[str]
) -> None:
    page = connected(visit(f"/counter/{room}/", name="alice", at=own_server))
    plus(page)
    number(page).to_have_text("1")
    own_server.kill()
    expect(page.locator("[data-status]")).to_contain_text("Trying again in")
    plus(page, 3)
    expect(page.locator("[data-pending]")).to_have_text("3 clicks waiting")
    number(page).to_have_text("1")  # what is not counted is not shown as counted
    own_server.shell(ADD.format(name=room, delta=10))
    own_server.start()
    page.evaluate("dispatchEvent(new Event('online'))")  # tries at once
    number(page).to_have_text("14", timeout=BACK_MS)
    expect(page.locator("[data-pending]")).to_be_hidden()
    forgive(problems)


def test_a_click_whose_answer_was_lost_counts_once(visit: Visit, room: str) -> None:
    sent: list[str] = []

    def lose_first_answers(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        if sent:
            return

        def forward(message: str | bytes) -> None:
            sent.append(str(message))
            server.send(message)

        def swallow(message: str | bytes) -> None:
            if json.loads(message)["type"] == "ack":
                socket.close(code=1012, reason="retry_after=0.1")
            elif not sent:
                socket.send(message)

        socket.on_message(forward)
        server.on_message(swallow)

    page = visit("/console/")
    page.route_web_socket("**/ws/counter/**", lose_first_answers)
    page.goto(f"/counter/{room}/")
    plus(connected(page))
    number(page).to_have_text("1")
    expect(page.locator("[data-pending]")).to_be_hidden()
    other = connected(visit(f"/counter/{room}/"))
    number(other).to_have_text("1")


def test_an_older_state_is_never_shown_after_a_newer_one(visit: Visit, room: str) -> None:
    def answer(socket: WebSocketRoute) -> None:
        for value, version in ((5, 10), (4, 9), (6, 11), (5, 10)):
            socket.send(json.dumps({"type": "state", "value": value, "version": version}))

    page = visit("/console/")
    page.route_web_socket("**/ws/counter/**", answer)
    page.goto(f"/counter/{room}/")
    number(connected(page)).to_have_text("6")
    expect(page.locator("[data-line-words]")).to_have_text(re.compile("highest 6"))


def test_the_last_hour_is_told_in_words(visit: Visit, room: str) -> None:
    page = connected(visit(f"/counter/{room}/"))
    plus(page, 3)
    expect(page.locator("[data-line-words]")).to_have_text("In the last hour: up 3, lowest 0, highest 3.")
    page.reload()
    expect(page.locator("[data-line-words]")).to_have_text("In the last hour: up 3, lowest 0, highest 3.")
    assert page.locator(".hour-stroke").get_attribute("d")


def test_a_refused_click_is_told_and_forgotten(visit: Visit, room: str, server: Server) -> None:
    server.shell(MAKE.format(name=room, values={"value": 2**53 - 1}))
    page = connected(visit(f"/counter/{room}/"))
    plus(page)
    expect(page.locator(".toast")).to_contain_text("Not counted: The value must stay between")
    expect(page.locator("[data-pending]")).to_be_hidden()


def test_a_long_number_fits_a_phone(visit: Visit, room: str, server: Server) -> None:
    server.shell(MAKE.format(name=room, values={"value": -(2**53) + 1}))
    page = connected(visit(f"/counter/{room}/", viewport=PHONE))
    number(page).to_have_text("\u22129,007,199,254,740,991")
    assert page.locator(".counter-number").evaluate("part => part.scrollWidth <= part.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_who_may_only_watch_sees_it_change(visit: Visit, room: str, server: Server) -> None:
    server.shell(MAKE.format(name=room, values={"guest_access": "read"}))
    guest, alice = connected(visit(f"/counter/{room}/")), connected(visit(f"/counter/{room}/", name="alice"))
    expect(guest.get_by_text("Guests may watch this counter. Log in to press it.")).to_be_visible()
    expect(guest.get_by_role("button", name="Plus one")).to_have_count(0)
    guest.keyboard.press("+")
    plus(alice)
    number(guest).to_have_text("1")


def test_an_untouched_counter_says_what_to_do(visit: Visit, room: str, server: Server) -> None:
    page = connected(visit(f"/counter/{room}/"))
    expect(page.get_by_text("Nobody has pressed it yet.")).to_be_visible()
    expect(page.get_by_label("the command").first).to_have_text(f".venv/bin/websockets {server.ws}/ws/counter/{room}/")
    plus(page)
    expect(page.get_by_text("Nobody has pressed it yet.")).to_be_hidden()


def test_a_second_window_is_a_click_away(visit: Visit, room: str) -> None:
    page = connected(visit(f"/counter/{room}/"))
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open a second window").click()
    plus(connected(opened.value))
    number(page).to_have_text("1")


def test_a_counter_is_opened_by_its_name(visit: Visit, room: str) -> None:
    page = connected(visit("/counter/"))
    page.get_by_label("Name of the counter").fill("Not/a name!")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("a letter or digit first")).to_be_visible()
    page.get_by_label("Name of the counter").fill(f" {room.upper()} 2")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{room}-2")
    connected(page)
    page.goto("/counter/")
    expect(page.get_by_role("link", name=f"{room}-2")).to_be_visible()
