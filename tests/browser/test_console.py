"""The console."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from websockets.sync.client import connect

from tests.browser.conftest import Visit
from tests.browser.test_reconnect import At
from tests.processes import TOKENS, Server
from tests.servers.chaos.proxy import proxy

CLIPBOARD = ["clipboard-read", "clipboard-write"]


def frames(page: Page, direction: str) -> Locator:
    return page.locator(f'.frame[data-direction="{direction}"] .frame-preview')


def connected(page: Page) -> Page:
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("[data-state]")).to_have_text("Connected")
    return page


def test_echo(visit: Visit) -> None:
    page = connected(visit("/console/?route=/ws/echo/"))
    for text in ("Hello", "", "<b>\u202e"):
        page.get_by_label("Message", exact=True).fill(text)
        page.get_by_label("Message", exact=True).press("Control+Enter")
    expect(frames(page, "out")).to_have_text(["Hello", "empty", "<b>\u202e"])
    expect(frames(page, "in")).to_have_text(["Hello", "empty", "<b>\u202e"])
    expect(page.locator("[data-totals]")).to_have_text("3 sent · 3 received · 22 B")


def test_a_file_goes_as_binary(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "bytes.bin").write_bytes(bytes(range(40)))
    page = connected(visit("/console/?route=/ws/echo/"))
    page.get_by_text("File", exact=True).click()
    page.get_by_label("File, sent as one binary frame").set_input_files(tmp_path / "bytes.bin")
    page.get_by_role("button", name="Send").click()
    expect(page.locator('.frame[data-direction="in"] .frame-size')).to_have_text("40 B")
    frames(page, "in").click()
    expect(page.locator(".frame pre")).to_contain_text("000010  10 11 12")


def test_json_is_checked_before_and_shown_tidy_after(visit: Visit, room: str) -> None:
    page = connected(visit(f"/console/?route=/ws/chat/{room}/"))
    page.get_by_text("JSON", exact=True).click()
    page.get_by_label("Message", exact=True).fill('{"action": "send"')
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-message-error]")).to_contain_text("Not JSON")
    expect(frames(page, "out")).to_have_count(0)
    page.get_by_label("Message", exact=True).fill('{"action": "send", "text": "Hi", "id": "1"}')
    page.get_by_role("button", name="Send").click()
    expect(frames(page, "in").last).to_contain_text('"type":"chat"')
    frames(page, "in").last.click()
    expect(page.locator(".frame pre")).to_contain_text('  "message": "Hi",')


def test_examples_fill_in(visit: Visit) -> None:
    page = visit("/console/")
    page.get_by_label("Choose a route").select_option("/ws/chat/lobby/")
    expect(page.get_by_label("or type its address")).to_have_value("/ws/chat/lobby/")
    page.get_by_role("group", name="Examples").get_by_role("button").nth(1).click()
    expect(page.get_by_label("Message", exact=True)).to_have_value(re.compile('^{"action": '))
    expect(page.get_by_label("JSON")).to_be_checked()
    expect(frames(page, "out")).to_have_count(0)


def test_copy_as_python_runs(visit: Visit) -> None:
    page = visit("/console/?route=/ws/greet/&send=Ada", permissions=CLIPBOARD)
    page.locator(".console-copy").get_by_role("button", name="Copy").click()
    expect(page.locator(".console-copy").get_by_role("button", name="Copied")).to_be_visible()
    code = page.evaluate("navigator.clipboard.readText()")
    assert subprocess.check_output([sys.executable, "-c", code], text=True, timeout=20) == "Hello Ada!\n"


def test_copy_as_wscat_and_javascript(visit: Visit, server: Server) -> None:
    page = visit("/console/?route=/ws/echo/&send=it's")
    page.get_by_text("wscat", exact=True).click()
    expect(page.locator("#snippet")).to_have_text(f"wscat -c '{server.ws}/ws/echo/' -w 5 -x 'it'\\''s'")
    page.get_by_text("JavaScript", exact=True).click()
    expect(page.locator("#snippet")).to_contain_text(f'new WebSocket("{server.ws}/ws/echo/")')


def test_a_link_fills_in_and_never_sends(visit: Visit) -> None:
    page = visit("/console/?route=/ws/echo/&send=%3Cb%3EHi", permissions=CLIPBOARD)
    expect(page.get_by_label("Message", exact=True)).to_have_value("<b>Hi")
    expect(page.locator("[data-state]")).to_have_text("Not connected")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    again = visit(page.evaluate("navigator.clipboard.readText()"))
    expect(again.get_by_label("Message", exact=True)).to_have_value("<b>Hi")
    expect(again.locator(".frame")).to_have_count(0)


def test_a_close_is_explained(visit: Visit) -> None:
    page = connected(visit("/console/?route=/ws/greet/&send=Ada"))
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".frame-note").last).to_contain_text("Closed with 1000: done.")
    page.get_by_label("or type its address").fill("/ws/time/?every=nonsense")
    page.get_by_role("button", name="Connect").click()
    expect(page.locator(".frame-note").last).to_contain_text("Closed with 1008")


@pytest.mark.parametrize("route", ["chat/{}/", "counter/", "counter/{}", "notifications/"])
def test_a_json_route_is_asked_after_silence_and_known_to_be_dead(
    server: Server, visit: Visit, room: str, route: str
) -> None:
    with proxy(server.port) as path_to:
        page = visit("/", at=At(path_to))
        page.clock.install()
        page.goto(f"/console/?route=/ws/{route.format(room)}")
        page.clock.run_for(20_100)
        connected(page)
        page.clock.run_for(20_100)
        page.wait_for_timeout(500)
        page.clock.run_for(6_000)
        expect(page.locator("[data-state]")).to_have_text("Connected")
        expect(page.locator(".frame", has_text="pong")).to_have_count(0)
        path_to.silence()
        page.clock.run_for(26_000)
        expect(page.locator("[data-state]")).to_have_text("Closed: 1006")
        expect(page.locator(".frame-note").last).to_contain_text("Reason: no answer")


def test_a_plain_route_is_asked_nothing_but_no_network_is_told(visit: Visit) -> None:
    page = visit("/")
    page.clock.install()
    page.goto("/console/?route=/ws/echo/")
    connected(page)
    page.clock.run_for(60_000)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(300)
    expect(frames(page, "out").or_(frames(page, "in"))).to_have_count(0)
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(page.locator(".frame-note").last).to_contain_text("Reason: no network")
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("[data-state]")).to_have_text("Connected")


def test_a_token_logs_in_and_is_not_shown(visit: Visit) -> None:
    page = visit("/console/?route=/ws/secure-echo/&send=hi")
    page.get_by_text("Log in with a token").click()
    page.get_by_label("Token, sent as the first message").fill(TOKENS["alice"])
    connected(page)
    expect(frames(page, "in").first).to_contain_text('"status":"ok"')
    page.get_by_role("button", name="Send").click()
    expect(frames(page, "in").last).to_have_text("[alice] hi")
    assert TOKENS["alice"] not in page.locator("body").inner_text()


def test_another_site_is_refused_in_words(visit: Visit) -> None:
    page = visit("/console/?route=wss://example.org/ws/")
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("[data-route-error]")).to_contain_text("This console connects to 127.0.0.1")


def test_a_busy_route_keeps_the_newest_thousand(visit: Visit, server: Server) -> None:
    page = connected(visit("/console/?route=/ws/broadcast/"))
    with connect(f"{server.ws}/ws/broadcast/") as socket:
        for number in range(3000):
            socket.send(f"frame {number}")
            socket.recv()
        expect(page.locator("[data-totals]")).to_contain_text("3,000 received")
        expect(frames(page, "in")).to_have_count(1000)
        expect(frames(page, "in").last).to_have_text("frame 2999")
        page.get_by_role("button", name="Pause").click()
        socket.send("held back")
        expect(page.locator("[data-totals]")).to_contain_text("1 held back")
        expect(frames(page, "in").last).to_have_text("frame 2999")
        page.get_by_role("button", name="Go on").click()
        expect(frames(page, "in").last).to_have_text("held back")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".frame")).to_have_count(0)
