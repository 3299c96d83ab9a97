"""A chat room in two windows."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visit
from tests.processes import Server

HOSTILE = "<img src=x onerror=\"document.title='broken'\"> \u202egnp.exe </p><script>1</script>"


def say(page: Page, text: str) -> None:
    field = page.get_by_label("Message to")
    field.fill(text)
    field.press("Enter")


def messages(page: Page) -> list[str]:
    return page.locator(".messages .message-text").all_inner_texts()


def connected(page: Page) -> Page:
    expect(page.locator(".room-status .badge")).to_have_text("Connected")
    return page


def test_two_windows_talk(visit: Visit, room: str) -> None:
    alice, guest = connected(visit(f"/chat/{room}/", name="alice")), connected(visit(f"/chat/{room}/"))
    say(alice, "Hello, is anybody here?")
    expect(guest.get_by_role("log")).to_contain_text("Hello, is anybody here?")
    say(guest, "Yes!")
    expect(alice.get_by_role("log")).to_contain_text("Yes!")
    assert messages(alice) == messages(guest) == ["Hello, is anybody here?", "Yes!"]
    expect(alice.locator(".sender")).to_have_text(["alice", re.compile(r"Guest-\d{7}")])


def test_consecutive_messages_of_one_sender_share_a_heading(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/", name="alice"))
    for text in ("one", "two", "three"):
        say(page, text)
    expect(page.locator(".messages .message-text")).to_have_text(["one", "two", "three"])
    expect(page.locator(".sender")).to_have_count(1)
    expect(page.locator(".day")).to_have_text(["Today"])


def test_shift_enter_starts_a_line_and_enter_sends(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/"))
    field = page.get_by_label("Message to")
    field.press_sequentially("first")
    field.press("Shift+Enter")
    field.press_sequentially("second")
    field.press("Enter")
    expect(page.locator(".messages .message-text")).to_have_text("first\nsecond", use_inner_text=True)
    expect(field).to_have_value("")


def test_who_types_is_shown_until_their_message_comes(visit: Visit, room: str) -> None:
    alice, guest = connected(visit(f"/chat/{room}/", name="alice")), connected(visit(f"/chat/{room}/"))
    alice.get_by_label("Message to").press_sequentially("Hi")
    expect(guest.locator("[data-typing]")).to_have_text("alice is typing…")
    alice.get_by_label("Message to").press("Enter")
    expect(guest.get_by_role("log")).to_contain_text("Hi")
    expect(guest.locator("[data-typing]")).to_be_empty()


def test_who_is_here_comes_and_goes(visit: Visit, room: str) -> None:
    alice = connected(visit(f"/chat/{room}/", name="alice"))
    expect(alice.locator(".person")).to_have_text(["Aaliceyou"])
    bob = connected(visit(f"/chat/{room}/", name="bob"))
    expect(alice.locator("[data-people-count]")).to_have_text("2")
    expect(alice.locator(".person")).to_contain_text(["alice", "bob"])
    expect(alice.get_by_role("log")).to_contain_text("bob joined the chat")
    bob.close()
    expect(alice.locator("[data-people-count]")).to_have_text("1", timeout=10_000)
    expect(alice.get_by_role("log")).to_contain_text("bob left the chat")


def test_hostile_text_is_text(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/", viewport=PHONE))
    for text in (HOSTILE, "x" * 3000, "\u0645\u0631\u062d\u0628\u0627 " * 40):
        say(page, text)
    expect(page.locator(".messages .message-text")).to_have_count(3)
    assert page.locator(".messages .message-text").first.text_content() == HOSTILE
    assert page.locator(".messages .message-text :is(img, script)").count() == 0
    assert "broken" not in page.title()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("[data-log]").evaluate("log => log.scrollWidth <= log.clientWidth")


def test_an_address_becomes_a_link_that_tells_nothing(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/"))
    say(page, "see https://example.org/a?b=1, or javascript:alert(1), or https://example.org/\u202egnp.exe")
    links = page.locator(".message-text a")
    expect(links).to_have_text(["https://example.org/a?b=1", "https://example.org/"])
    for link in links.all():
        assert "noreferrer" in (link.get_attribute("rel") or "")


def test_delete_asks_first_and_shows_everywhere(visit: Visit, room: str) -> None:
    alice, bob = (connected(visit(f"/chat/{room}/", name=name)) for name in ("alice", "bob"))
    say(alice, "I regret this")
    expect(bob.get_by_role("log")).to_contain_text("I regret this")
    expect(bob.get_by_role("button", name="Delete message")).to_have_count(0)
    delete = alice.get_by_role("button", name="Delete message: I regret this")
    delete.focus()
    delete.press("Enter")
    expect(alice.get_by_role("dialog")).to_be_visible()
    alice.keyboard.press("Escape")
    expect(alice.get_by_role("dialog")).to_be_hidden()
    expect(delete).to_be_focused()
    delete.press("Enter")
    alice.get_by_role("dialog").get_by_role("button", name="Delete").click()
    for page in (alice, bob):
        expect(page.locator(".messages .message-text")).to_have_text("Deleted by alice")
    bob.reload()
    expect(bob.locator(".messages .message-text")).to_have_text(re.compile("Deleted"))


def test_unread_messages_are_counted_in_the_title(visit: Visit, room: str) -> None:
    alice, bob = (connected(visit(f"/chat/{room}/", name=name)) for name in ("alice", "bob"))
    look_away = "value => { Object.defineProperty(document, 'hidden', { value, configurable: true });"
    look_away += " document.dispatchEvent(new Event('visibilitychange')); }"
    alice.evaluate(look_away, True)
    say(bob, "one")
    say(bob, "two")
    expect(alice).to_have_title(f"(2) {room} · Chorus")
    alice.evaluate(look_away, False)
    expect(alice).to_have_title(f"{room} · Chorus")


def test_an_empty_room_says_what_to_do(visit: Visit, room: str, server: Server) -> None:
    page = connected(visit(f"/chat/{room}/"))
    expect(page.get_by_text("No messages yet. Say hello, or from a terminal:")).to_be_visible()
    expect(page.locator(".empty code")).to_have_text(f".venv/bin/websockets {server.ws}/ws/chat/{room}/")
    say(page, "Hello")
    expect(page.get_by_text("No messages yet")).to_be_hidden()


def test_what_is_too_long_stays_in_the_field(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/"))
    say(page, "x" * 10_001)
    expect(page.get_by_role("alert")).to_have_text("1 character too many: at most 10,000 go in one message.")
    expect(page.get_by_label("Message to")).to_have_value("x" * 10_001)
    expect(page.locator(".message")).to_have_count(0)


def test_a_refused_message_says_why(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/"))
    say(page, "a bell: \a")
    expect(page.locator(".unsent-state")).to_contain_text("control characters other than tab")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".unsent-state")).to_contain_text("Not sent")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator(".unsent")).to_have_count(0)
    page.reload()
    expect(connected(page).locator(".unsent")).to_have_count(0)


def test_who_may_only_read_is_told_so(visit: Visit, room: str, server: Server) -> None:
    make = f"from chat.models import Room; Room.objects.create(name={room!r}, guest_access='read')"
    server.shell(make)
    page = connected(visit(f"/chat/{room}/"))
    expect(page.get_by_text("Guests may read here. Log in to write.")).to_be_visible()
    expect(page.get_by_label("Message to")).to_have_count(0)


def test_a_second_window_is_a_click_away(visit: Visit, room: str) -> None:
    page = connected(visit(f"/chat/{room}/"))
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open a second window").click()
    second = connected(opened.value)
    say(second, "from the second")
    expect(page.get_by_role("log")).to_contain_text("from the second")


def test_capitals_lead_to_the_room_in_lower_case(visit: Visit, room: str) -> None:
    page = visit(f"/chat/{room.upper()}/")
    assert page.url.endswith(f"/chat/{room}/")


def test_a_room_is_opened_by_its_name(visit: Visit, room: str) -> None:
    page = visit("/chat/")
    page.get_by_label("Name of the room").fill("Not/a name!")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("a letter or digit first")).to_be_visible()
    page.get_by_label("Name of the room").fill(f"  {room.upper()} 2")
    page.get_by_role("button", name="Open").click()
    connected(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{room}-2")
    page.goto("/chat/")
    expect(page.get_by_role("link", name=f"{room}-2")).to_be_visible()
