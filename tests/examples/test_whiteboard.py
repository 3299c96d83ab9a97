"""The whiteboard as a real site: boards in several windows, in admin, and by its own tests."""

import re
import subprocess
import sys
from typing import Any

from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.browser.conftest import Visit
from tests.examples.conftest import SETTINGS
from tests.processes import BASE_DIR, Server

SEND = """(command) => new Promise((resolve) => {
  const socket = new WebSocket(location.href.replace("http", "ws").replace("/boards/", "/ws/board/"));
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    if (event.type === "joined") socket.send(JSON.stringify(command));
    if (event.type === "error") resolve(event);
  };
})"""


def open_board(visit: Visit, name: str, *, who: str | None = "alice") -> Page:
    page = visit(f"/boards/{name}/", name=who)
    expect(page.locator("[data-status] .badge")).to_have_text("Connected")
    return page


def put(page: Page, text: str) -> None:
    page.get_by_label("A new note").fill(text)
    page.get_by_role("button", name="Add", exact=True).click()


def notes(page: Page) -> Locator:
    return page.locator(".note")


def words(page: Page) -> list[str]:
    """The notes in the order of their positions, as one reads them."""
    return [field.input_value() for field in page.get_by_label("Note", exact=True).all()]


def where(page: Page, text: str) -> str:
    found = page.locator(".note").filter(has=page.locator("textarea")).all()
    return next(
        str(note.evaluate("note => note.style.translate"))
        for note in found
        if note.locator("textarea").input_value() == text
    )


def the_note(page: Page, number: int = 0) -> Locator:
    return notes(page).nth(number)


def show_the_same(*pages: Page) -> None:
    """Every window has the same notes, with the same words, in the same places."""
    seen = [[(text, where(page, text)) for text in sorted(words(page))] for page in pages]
    assert all(each == seen[0] for each in seen), seen


def allow(server: Server, board: str, **access: str) -> None:
    code = "from examples.whiteboard.models import Board\n"
    code += f"Board.objects.update_or_create(name={board!r}, defaults={access})"
    server.manage("shell", "-c", code)


def test_a_note_put_up_in_one_window_shows_in_the_other(visit: Visit) -> None:
    alice, bob = open_board(visit, "two"), open_board(visit, "two", who="bob")
    put(alice, "Cake")
    expect(notes(bob)).to_have_count(1)
    put(bob, "Candles")
    expect(notes(alice)).to_have_count(2)
    assert words(alice) == words(bob) == ["Cake", "Candles"]
    show_the_same(alice, bob)


def test_a_note_is_moved_by_hand_and_by_keys(visit: Visit) -> None:
    alice, bob = open_board(visit, "moved"), open_board(visit, "moved", who="bob")
    put(alice, "Cake")
    expect(notes(bob)).to_have_count(1)
    before = where(bob, "Cake")
    handle = alice.get_by_role("button", name="Move")
    box = handle.bounding_box()
    assert box is not None
    alice.mouse.move(box["x"] + 5, box["y"] + 5)
    alice.mouse.down()
    alice.mouse.move(box["x"] + 65, box["y"] + 45, steps=4)
    alice.mouse.up()
    x, y = (float(part.removesuffix("px")) for part in before.split())
    expect(the_note(bob)).to_have_css("translate", f"{x + 60:g}px {y + 40:g}px")
    handle.press("ArrowRight")
    expect(the_note(bob)).to_have_css("translate", f"{x + 70:g}px {y + 40:g}px")
    show_the_same(alice, bob)


def test_words_are_changed_and_a_note_is_taken_away(visit: Visit) -> None:
    alice, bob = open_board(visit, "changed"), open_board(visit, "changed", who="bob")
    put(alice, "Cake")
    field = bob.get_by_label("Note", exact=True)
    expect(field).to_have_value("Cake")
    field.fill("Two cakes")
    field.blur()
    expect(alice.get_by_label("Note", exact=True)).to_have_value("Two cakes")
    bob.get_by_role("button", name="Take away").click()
    expect(notes(alice)).to_have_count(0)
    expect(notes(bob)).to_have_count(0)


class Wire:
    """The network of one page, which can be cut."""

    def __init__(self, page: Page) -> None:
        self.is_cut = False
        self.addresses: list[str] = []
        self._ends: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("/ws/board/"), self._accept)
        page.reload()

    def _accept(self, socket: WebSocketRoute) -> None:
        self.addresses.append(socket.url)
        if self.is_cut:
            socket.close(code=1011)
        else:
            self._ends += [socket, socket.connect_to_server()]

    def cut(self) -> None:
        self.is_cut = True
        for end in self._ends:
            end.close(code=1011)


def test_a_window_that_was_offline_comes_back_whole(visit: Visit) -> None:
    alice, away = open_board(visit, "away"), open_board(visit, "away", who="bob")
    wire = Wire(away)
    for count, text in enumerate(("stays", "moves", "goes"), 1):
        put(alice, text)
        expect(notes(away)).to_have_count(count)
    wire.cut()
    expect(away.locator("[data-status]")).to_contain_text("Trying again in")
    put(alice, "new")
    the_note(alice, 1).get_by_role("button", name="Move").press("ArrowDown")
    the_note(alice, 2).get_by_role("button", name="Take away").press("Enter")
    expect(notes(alice)).to_have_count(3)
    put(away, "written offline")
    assert words(away) == ["stays", "moves", "goes"]
    wire.is_cut = False
    away.evaluate("dispatchEvent(new Event('online'))")  # tries at once
    expect(away.locator("[data-status] .badge")).to_have_text("Back online. 1 missed note caught up.", timeout=25_000)
    assert "since=" in wire.addresses[-1]
    for page in (alice, away):
        expect(notes(page)).to_have_count(4)
        assert words(page) == ["stays", "moves", "new", "written offline"]
    show_the_same(alice, away)


def test_a_board_of_many_changes_is_whole_for_who_comes_later(visit: Visit, server: Server) -> None:
    code = """
from examples.whiteboard.events import Put
from examples.whiteboard.models import Board
from realtime.access import Identity
board, baker = Board.objects.create(name="many"), Identity("program:baker", "baker")
first = board.put(baker, Put(text="the first", x=0, y=0))
for number in range(350):
    board.put(baker, Put(text="the first", x=number, y=1, target=first.seq))
board.put(baker, Put(text="the last", x=1, y=2))
"""
    server.manage("shell", "-c", code)
    page = open_board(visit, "many")
    expect(notes(page)).to_have_count(2)
    assert where(page, "the first") == "349px 1px"


def test_a_guest_who_may_only_read_cannot_write(visit: Visit, server: Server) -> None:
    allow(server, "read", guest_access="read", member_access="write")
    alice, guest = open_board(visit, "read"), open_board(visit, "read", who=None)
    put(alice, "Look, but do not touch")
    expect(notes(guest)).to_have_count(1)
    expect(guest.get_by_text("Guests may read here.")).to_be_visible()
    expect(guest.get_by_label("A new note")).to_have_count(0)
    expect(guest.get_by_role("button", name="Take away")).to_have_count(0)
    expect(guest.get_by_label("Note", exact=True)).not_to_be_editable()
    for command in ({"action": "put", "text": "x", "x": 1, "y": 1, "id": "1"}, {"action": "delete", "seq": 1}):
        answer: dict[str, Any] = guest.evaluate(SEND, command)
        assert answer["code"] == "forbidden"
    assert words(alice) == ["Look, but do not touch"]


def test_admin_lists_boards_with_their_access_and_clears_one(visit: Visit, server: Server) -> None:
    allow(server, "cleared", guest_access="none", title="To be cleared")
    alice = open_board(visit, "cleared")
    put(alice, "Old")
    expect(notes(alice)).to_have_count(1)
    admin = visit("/admin/whiteboard/board/", name="root")
    row = admin.get_by_role("row").filter(has_text="To be cleared")
    expect(row).to_contain_text("nothing")
    row.get_by_role("link", name="cleared", exact=True).click()
    expect(admin.get_by_label("Guests may")).to_have_value("none")
    admin.get_by_role("link", name="Delete all notes…").click()
    admin.get_by_role("button", name="Yes, delete it all").click()
    expect(notes(alice)).to_have_count(0)
    put(alice, "New")
    expect(notes(alice)).to_have_count(1)


def test_boards_are_listed_and_opened_by_name(visit: Visit, server: Server) -> None:
    allow(server, "listed", title="A listed board")
    page = visit("/", name="alice")
    expect(page.get_by_role("heading", name="Whiteboard")).to_be_visible()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Boards").click()
    expect(page.get_by_role("link", name="A listed board")).to_be_visible()
    page.get_by_label("Name of the board").fill("Summer Party")
    page.get_by_role("button", name="Open").click()
    expect(page).to_have_url(re.compile("/boards/summer-party/$"))
    expect(page.locator("[data-status] .badge")).to_have_text("Connected")


def test_the_rest_of_the_site_is_there_too(visit: Visit) -> None:
    page = visit("/chat/lobby/", name="alice")
    expect(page.locator(".room-status .badge")).to_have_text("Connected")


def test_its_migration_is_all_of_it(server: Server) -> None:
    assert "No changes detected" in server.manage("makemigrations", "--check", "--dry-run")
    server.manage("check")


def test_its_own_tests_hold() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "examples/whiteboard/test_board.py"]
    done = subprocess.run(
        [*command, "--ds", SETTINGS["DJANGO_SETTINGS_MODULE"]],
        cwd=BASE_DIR,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
