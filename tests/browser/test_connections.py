"""Admin as the control room, in a real browser. The tests share a server, so each looks at a room of its own."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visit, forgive
from tests.browser.test_accessibility import Scheme, violations
from tests.browser.test_admin import make
from tests.browser.test_pages import SCHEMES
from tests.browser.test_reconnect import At
from tests.processes import Server, serve
from tests.servers.chaos.proxy import proxy

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
PAGE = "/admin/realtime/connection/"


def enter(page: Page) -> Page:
    """Wait until a room's page is connected."""
    expect(page.locator("[data-status] .badge, .room-status .badge").first).to_have_text("Connected")
    return page


def test_who_comes_and_goes_is_shown_without_a_reload(visit: Visit, room: str) -> None:
    page = visit(f"{PAGE}?q={room}", name="root")
    expect(page.locator("[data-totals]")).to_contain_text("0 connections in 1 process")
    page.evaluate("window.stays = true")
    alice = enter(visit(f"/chat/{room}/", name="alice"))
    row = page.locator("[data-rows] tr")
    expect(row).to_have_count(1)
    expect(row.locator("td").nth(0)).to_have_text("alice")
    expect(row.locator("td").nth(1)).to_contain_text(room)
    expect(row.locator("td").nth(3)).to_have_text("127.0.0.1")
    expect(page.locator("[data-totals]")).to_contain_text("1 connection in 1 process")
    expect(page.locator("[data-problem]")).to_be_hidden()
    expect(row.get_by_role("link", name="Notify…")).to_be_in_viewport()
    before = row.locator("td").nth(5).inner_text()
    alice.get_by_role("textbox").first.fill("Hello")
    alice.get_by_role("textbox").first.press("Enter")
    expect(row.locator("td").nth(5)).not_to_have_text(before)
    alice.close()
    expect(row).to_have_count(0)
    assert page.evaluate("window.stays") is True


def test_a_time_says_its_day_once_that_is_over(visit: Visit, room: str) -> None:
    enter(visit(f"/chat/{room}/", name="alice"))
    page = visit("/", name="root")
    page.clock.install()
    page.goto(f"{PAGE}?q={room}")
    since = page.locator("[data-rows] time")
    expect(since).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    page.clock.fast_forward(24 * 3600 * 1000)
    expect(since).to_have_text(re.compile(r"^\d+ \w+ \d{4} \d\d:\d\d:\d\d$"))


def test_one_of_anything_is_one(visit: Visit) -> None:
    page = visit("/", name="root")
    totals = {"connections": 1, "messages_in": 1, "bytes_in": 1, "messages_out": 2, "bytes_out": 2560, "waiting": 0}
    told = {"rows": [], "totals": totals, "processes": 1, "more": 0, "complete": True}
    page.route("**/connection/data/**", lambda route: route.fulfill(json=told))
    page.goto(PAGE)
    expect(page.locator("[data-totals]")).to_have_text(
        "1 connection in 1 process: received 1 message · 1 byte; sent 2 messages · 2.5 KiB; 0 bytes waiting."
    )


def test_a_row_that_stays_keeps_its_focus(visit: Visit, room: str) -> None:
    enter(visit(f"/chat/{room}/", name="alice"))
    page = visit(f"{PAGE}?q={room}", name="root")
    link = page.get_by_role("link", name="Disconnect… alice")
    link.focus()
    enter(visit(f"/chat/{room}/", name="bob"))
    expect(page.locator("[data-rows] tr")).to_have_count(2)
    expect(link).to_be_focused()


def test_one_is_disconnected_by_its_button(visit: Visit, room: str) -> None:
    alice, bob = (enter(visit(f"/chat/{room}/", name=name)) for name in ("alice", "bob"))
    page = visit(f"{PAGE}?q={room}", name="root")
    page.get_by_role("link", name="Disconnect… alice").click()
    expect(page.get_by_text(f"The connection of alice to /ws/chat/{room}/")).to_be_visible()
    page.get_by_role("button", name="Yes, disconnect").click()
    expect(page.locator(".messagelist")).to_contain_text("Disconnected 1 connection of alice.")
    expect(alice.get_by_role("button", name="Connect again").first).to_be_visible()
    expect(bob.locator("[data-status] .badge, .room-status .badge").first).to_have_text("Connected")


def test_a_room_is_chosen_and_emptied(visit: Visit, room: str) -> None:
    alice, guest = enter(visit(f"/chat/{room}/", name="alice")), enter(visit(f"/chat/{room}/"))
    page = visit(f"{PAGE}?q={room}", name="root")
    page.locator("[data-rows]").get_by_role("link", name=room, exact=True).first.click()
    expect(page.locator("[data-rows] tr")).to_have_count(2)
    page.get_by_role("link", name=f"Disconnect all of {room}…").click()
    page.get_by_role("button", name="Yes, disconnect").click()
    expect(page.locator(".messagelist")).to_contain_text(f"Disconnected 2 connections in {room}.")
    for each in (alice, guest):
        expect(each.get_by_role("button", name="Connect again").first).to_be_visible()


def test_a_guest_is_banned_from_the_page(visit: Visit, room: str) -> None:
    guest = enter(visit(f"/chat/{room}/"))
    page = visit(f"{PAGE}?q={room}", name="root")
    page.get_by_role("link", name="Mute or ban… Guest").click()
    page.get_by_label("They:").select_option("ban")
    page.get_by_label("For how long:").select_option("600")
    page.get_by_role("button", name="Mute or ban").click()
    expect(page.locator(".messagelist")).to_contain_text("may not enter")
    expect(guest.get_by_role("button", name="Connect again").first).to_be_visible()


def test_somebody_is_muted_on_the_room_s_page_and_the_mute_is_lifted(visit: Visit, room: str, server: Server) -> None:
    pk = make(server, "chat.Room", room)
    page = visit(f"/admin/chat/room/{pk}/change/", name="root")
    page.get_by_text(re.compile("Add another mute or ban", re.IGNORECASE)).click()
    added = page.locator("#sanctions-0")
    added.locator(".select2-selection").click()
    page.locator(".select2-search__field").last.fill("ali")
    page.locator(".select2-results__option", has_text="alice").click()
    added.locator("select[name$=how_long]").select_option("600")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".inline-group")).to_contain_text("until")
    page.locator(".inline-group input[name$=DELETE]").first.check()
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".inline-group")).not_to_contain_text("until")


def test_what_people_are_called_is_text(visit: Visit, room: str, server: Server) -> None:
    make(server, "chat.Room", room, title=HOSTILE)
    enter(visit(f"/chat/{room}/", name="alice"))
    page = visit(f"{PAGE}?q={room}", name="root")
    expect(page.locator("[data-rows]").get_by_text(HOSTILE, exact=True)).to_be_visible()
    assert page.title().startswith("Connections")


def test_a_search_is_kept_while_it_refreshes(visit: Visit, room: str) -> None:
    enter(visit(f"/chat/{room}/", name="alice"))
    page = visit(PAGE, name="root")
    page.get_by_label("Name, route or address").fill(room.upper())
    page.get_by_role("button", name="Search").click()
    expect(page.locator("[data-rows] tr")).to_have_count(1)
    with page.expect_response(lambda answer: "/data/" in answer.url) as told:
        pass
    assert f"q={room.upper()}" in told.value.url


def test_a_new_token_is_copied_by_a_button(visit: Visit, server: Server) -> None:
    page = visit("/admin/accounts/token/add/", name="root", permissions=["clipboard-read", "clipboard-write"])
    pk = server.shell("from django.contrib.auth.models import User; print(User.objects.get(username='root').pk)")
    page.evaluate(
        "pk => document.querySelector('#id_owner').append(new Option('root', pk, true, true))", pk.split()[-1]
    )
    page.get_by_label("Name:").fill("Backup")
    page.get_by_role("button", name="Save", exact=True).click()
    secret = page.locator("#secret").inner_text()
    page.wait_for_load_state()  # the script that copies is there
    page.get_by_role("button", name="Copy the token").click()
    expect(page.locator("[data-toasts]")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == secret
    expect(page.locator("#token-example")).to_contain_text(f"Authorization: Bearer {secret}")
    expect(page.locator("#token-example")).to_contain_text("/api/me")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_serious(visit: Visit, room: str, server: Server, problems: list[str], scheme: Scheme) -> None:
    pk = make(server, "chat.Room", room)
    enter(visit(f"/chat/{room}/", name="alice"))
    page = visit(f"{PAGE}?q={room}", name="root", bypass_csp=True, color_scheme=scheme)
    expect(page.locator("[data-rows] tr")).to_have_count(1)
    ways = [page.get_by_role("link", name=f"{name}… alice") for name in ("Disconnect", "Mute or ban", "Notify")]
    addresses = [str(way.get_attribute("href")) for way in ways]
    for address in (None, *addresses, f"/admin/chat/room/{pk}/change/"):
        if address:
            answer = page.goto(address)
            assert answer is not None
            assert answer.ok, address
        for viewport in (DESKTOP, PHONE):
            page.set_viewport_size(viewport)
            assert violations(page) == [], f"{address} {viewport['width']} px"
    problems[:] = [problem for problem in problems if "404" not in problem]  # axe asks for imported style sheets


def test_when_the_server_is_away_the_page_says_so_and_keeps_what_it_knew(
    visit: Visit, room: str, problems: list[str]
) -> None:
    with serve() as server:
        chat = visit(f"/chat/{room}/", name="alice", at=server)
        enter(chat)
        page = visit(PAGE, name="root", at=server)
        expect(page.locator("[data-rows] tr")).to_have_count(1)
        server.kill()
        expect(page.locator("[data-problem]")).to_contain_text("The server does not answer.")
        expect(page.locator("[data-rows] tr")).to_have_count(1)
        server.start()
        expect(page.locator("[data-problem]")).to_be_hidden()
        for each in (chat, page):  # before the server is gone for good
            each.close()
    forgive(problems)


def test_a_path_that_went_silent_is_noticed_and_another_one_found(server: Server, visit: Visit) -> None:
    with proxy(server.port) as path_to:
        page = visit(PAGE, name="root", at=At(path_to))
        expect(page.locator("[data-totals]")).to_contain_text("connection")
        path_to.silence()
        expect(page.locator("[data-problem]")).to_contain_text("The server does not answer.", timeout=15_000)
        expect(page.locator("[data-problem]")).to_be_hidden(
            timeout=40_000
        )  # each attempt uses up one of the idle connections that died too
        page.close()
