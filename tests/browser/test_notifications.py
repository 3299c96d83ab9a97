"""The page of notifications, in one window and in two."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, Visit, forgive, session_of
from tests.processes import Server, serve

BACK_MS = 25_000
"""The longest wait before a page tries again, and some."""
CHECK_MS = 10_000
"""Within this time a server finds what another process wrote, without Redis."""
DO = """
from notifications.models import Topic
from realtime.access import Identity
topic = Topic.objects.get_or_create(name={name!r})[0]
ops = Identity("guest:ops", "Guest-1234")
{what}
"""
HOSTILE = "<img src=x onerror=\"document.title='broken'\"> \u202egnp.exe </p><script>1</script>"


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that may be killed, whose heart beats fast; asked for before `visit`, so that it outlives the pages."""
    with serve({"CHORUS_HEARTBEAT_INTERVAL": "1"}) as running:
        yield running


def do(server: Server, topic: str, what: str) -> None:
    """Act on a topic from another process."""
    server.shell(DO.format(name=topic, what=what))


def connected(page: Page) -> Page:
    expect(page.locator("[data-status] .badge")).to_have_text("Connected")
    return page


def follow(page: Page, *topics: str) -> Page:
    connected(page)
    for topic in topics:
        page.get_by_label("Follow another topic").fill(topic)
        page.get_by_role("button", name="Follow", exact=True).click()
        expect(page.get_by_role("checkbox", name=f"Follow {topic}")).to_be_checked()
    return page


def form(page: Page) -> Locator:
    return page.locator("form[data-publish]")


def publish(page: Page, topic: str, message: str, *, title: str = "", priority: str = "", tags: str = "") -> None:
    form(page).get_by_label("Topic").fill(topic)
    form(page).get_by_label("Message").fill(message)
    form(page).get_by_label("Title").fill(title)
    form(page).get_by_label("Tags").fill(tags)
    if priority:
        form(page).get_by_text(priority, exact=True).click()
    form(page).get_by_role("button", name="Publish").click()
    expect(form(page).locator("[data-publish-state]")).to_contain_text(f"Published to {topic}.")


def texts(page: Page) -> Any:
    return expect(page.locator(".note-text"))


def unread(page: Page, topic: str) -> Any:
    return expect(page.locator(f"[data-topics] [data-topic='{topic}'] .badge"))


def test_what_one_publishes_the_other_sees(visit: Visit, room: str) -> None:
    alice, guest = follow(visit("/notifications/", name="alice"), room), follow(visit("/notifications/"), room)
    publish(alice, room, "95 % in use", title="Disk full", priority="High", tags="db1, disk")
    note = guest.locator(".note")
    expect(note.get_by_role("heading")).to_have_text("Disk full")
    expect(note.locator(".note-text")).to_have_text("95 % in use")
    expect(note.locator(".note-level")).to_have_text("High")
    expect(note.locator(".note-tag")).to_have_text(["db1", "disk"])
    expect(note).to_contain_text("alice")
    expect(alice.locator("[data-publish-state]")).to_contain_text("2 listening windows and programs got it")


def test_the_newest_is_first_and_a_reload_keeps_all(visit: Visit, room: str) -> None:
    page = follow(visit("/notifications/", name="alice"), f"{room}-a", f"{room}-b")
    for topic, text in ((f"{room}-a", "one"), (f"{room}-b", "two"), (f"{room}-a", "three")):
        publish(page, topic, text)
        # Each topic has an order of its own: what is published in two at once has none.
        expect(page.locator(f".note[data-topic='{topic}'] .note-text", has_text=text)).to_be_visible()
    mine = page.locator(f".note[data-topic^='{room}'] .note-text")
    expect(mine).to_have_text(["three", "two", "one"])
    page.reload()
    expect(mine).to_have_text(["three", "two", "one"])
    expect(page.get_by_role("checkbox", name=f"Follow {room}-b")).to_be_checked()


def test_urgent_ones_stay_until_dismissed_in_all_windows(visit: Visit, room: str) -> None:
    page = follow(visit("/notifications/"), room)
    second = page.context.new_page()
    second.goto("/notifications/")
    publish(page, room, "It burns", priority="Urgent")
    publish(page, room, "Later news", priority="Normal")
    for window in (page, second):
        expect(window.locator("[data-pinned] .note-text")).to_have_text(["It burns"])
        expect(window.locator("[data-notes] .note-text")).to_have_text(["Later news"])
    page.get_by_role("button", name="Dismiss: It burns").click()
    for window in (page, second):
        expect(window.locator("[data-notes] .note-text")).to_have_text(["Later news", "It burns"])
    page.reload()
    expect(page.locator("[data-notes] .note-text")).to_have_text(["Later news", "It burns"])


def test_acknowledging_all_leaves_urgent_ones_on_top(visit: Visit, room: str) -> None:
    page = follow(visit("/notifications/", name="alice"), room)
    publish(page, room, "It burns", priority="Urgent")
    expect(page.locator("[data-acknowledge]")).to_be_hidden()
    publish(page, room, "Later news", priority="Normal")
    page.get_by_role("button", name="Acknowledge all except urgent").click()
    expect(page.locator("[data-acknowledge]")).to_be_hidden()
    expect(page).to_have_title("(1) Notifications · Chorus")
    page.reload()
    expect(page.locator("[data-pinned] .note-text")).to_have_text(["It burns"])
    page.get_by_role("button", name="Dismiss: It burns").click()
    expect(page.locator("[data-notes] .note-text").first).to_have_text("Later news")
    expect(page.locator("[data-pinned] .note")).to_have_count(0)
    expect(page).to_have_title("Notifications · Chorus")


def test_a_dismissed_urgent_one_is_acknowledged_where_nothing_else_is_new(visit: Visit, room: str) -> None:
    page, phone = (follow(visit("/notifications/", name="alice"), room) for _ in range(2))
    publish(page, room, "It burns", priority="Urgent")
    unread(page, room).to_have_text("1 new")
    page.get_by_role("button", name="Dismiss: It burns").click()
    unread(page, room).to_be_hidden()
    expect(phone.locator("[data-pinned] .note-text")).to_have_text(["It burns"])


def test_what_one_person_dismissed_stays_for_the_next_in_this_browser(visit: Visit, room: str, server: Server) -> None:
    do(server, room, "topic.publish(ops, 'It burns', priority=5)")
    page = follow(visit("/notifications/", name="alice"), room)
    page.get_by_role("button", name="Dismiss: It burns").click()
    expect(page.locator("[data-pinned] .note")).to_have_count(0)
    page.context.clear_cookies()
    page.context.add_cookies(session_of(server, "bob"))
    page.goto(f"/notifications/?topic={room}")
    expect(page.locator("[data-pinned] .note-text")).to_have_text(["It burns"])


def test_on_a_phone_what_came_is_first_and_the_rest_a_tap_away(visit: Visit, room: str, server: Server) -> None:
    do(server, room, "topic.publish(ops, 'news')")
    page = connected(visit(f"/notifications/?topic={room}", viewport={"width": 390, "height": 844}))
    note, topics = page.locator(".note"), page.locator(".topics")
    top, below = note.bounding_box(), topics.bounding_box()
    assert top is not None
    assert below is not None
    assert top["y"] < 320
    assert below["y"] > top["y"]
    page.get_by_role("link", name="Publish").click()
    expect(form(page).get_by_label("Message")).to_be_in_viewport()


def test_acknowledged_is_shared_between_devices(visit: Visit, room: str) -> None:
    phone = follow(visit("/notifications/", name="alice"), room)
    desk = follow(visit("/notifications/", name="alice"), room)
    bob = follow(visit("/notifications/", name="bob"), room)
    for text in ("one", "two"):
        publish(bob, room, text)
    unread(phone, room).to_have_text("2 new")
    unread(desk, room).to_have_text("2 new")
    desk.get_by_role("button", name=f"Show only {room}").first.click()
    desk.get_by_role("button", name=f"Acknowledge {room}").click()
    for page in (phone, desk):
        unread(page, room).to_be_hidden()
    unread(bob, room).to_have_text("2 new")
    phone.reload()
    texts(phone).to_contain_text(["two", "one"])
    unread(phone, room).to_be_hidden()


def test_the_title_counts_what_is_new(visit: Visit, room: str) -> None:
    page = follow(visit("/notifications/"), f"{room}-a", f"{room}-b")
    publish(page, f"{room}-a", "one")
    publish(page, f"{room}-b", "two")
    expect(page).to_have_title("(2) Notifications · Chorus")
    page.get_by_role("button", name="Acknowledge all").click()
    expect(page).to_have_title("Notifications · Chorus")
    expect(page.locator(".note[data-unread]")).to_have_count(0)


def test_to_a_guest_new_is_what_came_since_they_opened(visit: Visit, room: str, server: Server) -> None:
    do(server, room, "topic.publish(ops, 'old')")
    page = connected(visit(f"/notifications/?topic={room}"))
    texts(page).to_have_text(["old"])
    expect(page).to_have_title("Notifications · Chorus")
    publish(page, room, "new")
    unread(page, room).to_have_text("1 new")
    page.reload()
    unread(page, room).to_have_text("1 new")


def test_what_was_deleted_loses_its_text(visit: Visit, room: str, server: Server) -> None:
    do(server, room, "topic.publish(ops, 'a mistake', title='Oh', tags=['x'])")
    page = connected(visit(f"/notifications/?topic={room}"))
    texts(page).to_have_text(["a mistake"])
    do(server, room, "topic.retract(ops, 1)")
    expect(page.locator(".note-text")).to_have_text("Deleted by Guest-1234", timeout=CHECK_MS)
    page.reload()
    texts(page).to_have_text(["Deleted"])
    expect(page.locator(".note-title, .note-tag")).to_have_count(0)


def test_who_stops_following_gets_no_more(visit: Visit, room: str) -> None:
    page, other = follow(visit("/notifications/"), room), visit("/notifications/")
    publish(page, room, "one")
    texts(page).to_have_text(["one"])
    page.get_by_role("checkbox", name=f"Follow {room}").uncheck()
    texts(page).to_have_count(0)
    publish(connected(other), room, "two")
    expect(other.locator("[data-publish-state]")).to_contain_text("Nobody is listening just now")
    page.get_by_role("checkbox", name=f"Follow {room}").check()
    texts(page).to_have_text(["two", "one"])


def test_a_topic_is_shown_alone(visit: Visit, room: str) -> None:
    page = follow(visit("/notifications/"), f"{room}-a", f"{room}-b")
    publish(page, f"{room}-a", "one")
    publish(page, f"{room}-b", "two")
    page.locator(".note-topic", has_text=f"{room}-a").click()
    expect(page.locator(".note:visible .note-text")).to_have_text(["one"])
    assert page.url.endswith(f"?topic={room}-a")
    expect(form(page).get_by_label("Topic")).to_have_value(f"{room}-a")
    page.get_by_role("button", name="Show everything").click()
    expect(page.locator(".note:visible .note-text")).to_have_text(["two", "one"])


def test_what_was_missed_is_caught_up_and_what_was_written_goes_out_once(
    own_server: Server, visit: Visit, room: str, problems: list[str]
) -> None:
    page = follow(visit("/notifications/", name="alice", at=own_server), f"{room}-a", f"{room}-b")
    publish(page, f"{room}-a", "before")
    own_server.kill()
    expect(page.locator("[data-status]")).to_contain_text("Trying again in")
    form(page).get_by_label("Message").fill("written offline")
    form(page).get_by_role("button", name="Publish").click()
    expect(form(page).get_by_label("Message")).to_have_value("written offline")
    do(own_server, f"{room}-a", "topic.publish(ops, 'missed')")
    do(own_server, f"{room}-b", "topic.publish(ops, 'missed too')")
    own_server.start()
    page.evaluate("dispatchEvent(new Event('online'))")  # tries at once
    badge = expect(page.locator("[data-status] .badge"))
    badge.to_have_text("Back online. 2 missed notifications caught up.", timeout=BACK_MS)
    mine = page.locator(f".note[data-topic^='{room}'] .note-text")
    expect(mine).to_have_text(["written offline", "missed too", "missed", "before"])
    expect(form(page).get_by_label("Message")).to_have_value("")
    page.reload()
    expect(mine).to_have_text(["written offline", "missed too", "missed", "before"])
    forgive(problems)


def test_the_heartbeat_is_no_news(own_server: Server, visit: Visit) -> None:
    page = connected(visit("/notifications/", at=own_server))
    expect(page.locator("[data-heartbeat]")).to_contain_text("Last heartbeat")
    expect(page.locator(".note")).to_have_count(0)


def test_one_refused_topic_does_not_refuse_the_others(visit: Visit, room: str, server: Server) -> None:
    page = follow(visit("/notifications/"), f"{room}-a", f"{room}-b")
    publish(page, f"{room}-b", "still here")
    do(server, f"{room}-a", "topic.guest_access = 'none'; topic.save()")
    page.reload()
    expect(page.locator("[data-subscribe-error]")).to_contain_text(f"{room}-a: Guests may not read here.")
    texts(page).to_have_text(["still here"])


def test_a_note_to_one_person_reaches_only_them(visit: Visit, room: str) -> None:
    root, alice, bob = (connected(visit("/notifications/", name=name)) for name in ("root", "alice", "bob"))
    publish(root, "@alice", f"For you: {room}")
    expect(alice.locator(".note[data-topic='me'] .note-text").first).to_have_text(f"For you: {room}")
    publish(root, "@bob", "And for you")
    expect(bob.locator(".note[data-topic='me'] .note-text").first).to_have_text("And for you")
    expect(bob.get_by_text(f"For you: {room}")).to_have_count(0)


def test_a_refused_notification_stays_in_the_form(visit: Visit, room: str) -> None:
    page = connected(visit("/notifications/", name="alice"))
    form(page).get_by_label("Topic").fill("system")
    form(page).get_by_label("Message").fill("not mine to say")
    form(page).get_by_role("button", name="Publish").click()
    alert = page.locator("[data-publish-error]")
    expect(alert).to_have_text("Not published: Only staff publish to system.")
    expect(form(page).get_by_label("Message")).to_have_value("not mine to say")
    form(page).get_by_label("Message").fill("x" * 10_001)
    expect(alert).to_have_text("1 character too many: at most 10,000 go in one message.")


def test_hostile_text_is_text(visit: Visit, room: str) -> None:
    page = follow(visit("/notifications/", viewport=PHONE), room)
    page.locator("summary", has_text="Publish").click()
    publish(page, room, HOSTILE, title=HOSTILE, tags="<b>x</b>", priority="Urgent")
    publish(page, room, "x" * 3000, title="y" * 200, priority="Normal")
    expect(page.locator(".note")).to_have_count(2)
    assert page.locator("[data-pinned] .note-text").text_content() == HOSTILE
    assert page.locator(".note :is(img, script, b:not(.note-level))").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "broken" not in page.title()


STUB = """
window.shown = [];
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() { return (this.permission = "granted"); }
  constructor(title, options) { super(); shown.push([title, options.requireInteraction]); }
};
document.hasFocus = () => false;
"""


def test_the_browser_shows_them_only_when_asked_to(visit: Visit, room: str) -> None:
    page, other = visit("/console/"), connected(visit("/notifications/"))
    page.context.add_init_script(STUB)
    page.goto("/notifications/")
    follow(page, room)
    publish(other, room, "before asking")
    expect(page.locator(".note")).to_have_count(1)
    page.get_by_role("button", name="Show in this browser").click()
    expect(page.get_by_text("This browser shows new ones")).to_be_visible()
    for priority in ("Low", "Normal", "Urgent"):
        publish(other, room, "after asking", title=priority, priority=priority)
    expect(page.locator(".note")).to_have_count(4)
    assert page.evaluate("shown") == [["Normal", False], ["Urgent", True]]


def test_an_empty_page_says_what_to_do(visit: Visit, room: str, server: Server) -> None:
    page = connected(visit("/notifications/"))
    expect(page.get_by_text("You follow no topic yet.")).to_be_visible()
    follow(page, room)
    expect(page.get_by_text("Nothing yet. Publish something, or from a terminal:")).to_be_visible()
    lines = page.locator("[data-empty-lines] code")
    expect(lines.first).to_have_text(
        f'curl -d "Backup done" -H "Authorization: Bearer …" {server.http}/api/notifications/{room}/'
    )
    expect(lines.nth(1)).to_have_text(f".venv/bin/websockets {server.ws}/ws/notifications/")
    publish(page, room, "Hello")
    expect(page.locator("[data-empty]")).to_be_hidden()


def test_a_bad_name_is_told_at_the_field(visit: Visit) -> None:
    page = connected(visit("/notifications/"))
    page.get_by_label("Follow another topic").fill("no/name")
    page.get_by_role("button", name="Follow", exact=True).click()
    expect(page.locator("[data-subscribe-error]")).to_contain_text("a letter or digit first")
