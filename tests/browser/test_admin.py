"""Admin as people who do not program meet it; `problems` sees what the content security policy would block."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_notifications import connected, follow, form
from tests.processes import Server

TECHNICAL = re.compile(r"\b(epoch|seq|sequence|digest|client.id|sender.key|uuid|json)\b", re.IGNORECASE)
FORMS = (
    "/admin/chat/room/add/",
    "/admin/counter/counter/add/",
    "/admin/notifications/topic/add/",
    "/admin/notifications/notification/add/",
    "/admin/accounts/token/add/",
)
CONFIRM = "Yes, I’m sure"


def make(server: Server, model: str, name: str, **values: object) -> str:
    """Make a stream; returns its primary key."""
    code = f"from {model.split('.')[0]}.models import *; "
    code += f"print({model.split('.')[1]}.objects.create(name={name!r}, **{values!r}).pk)"
    return server.shell(code).split()[-1]


def test_the_index_has_five_groups(visit: Visit) -> None:
    page = visit("/admin/", name="root")
    groups = ["Real time", "Chat", "Counters", "Notifications", "People & tokens"]
    expect(page.locator("#content-main caption")).to_have_text(groups)
    people = page.locator("#content-main .module", has_text="People & tokens")
    expect(people.locator("th[scope=row]")).to_have_text(["Groups", "Users", "Tokens", "Audit log"])


def test_a_group_has_a_page_of_its_own(visit: Visit) -> None:
    page = visit("/admin/", name="root")
    page.locator("#content-main caption a", has_text="People & tokens").click()
    expect(page.locator("#content-main caption")).to_have_text(["People & tokens"])
    page.goto("/admin/counter/")
    expect(page.locator("#content-main caption")).to_have_text(["Counters"])


def test_forms_speak_plain_words(visit: Visit) -> None:
    page = visit("/admin/", name="root")
    for path in FORMS:
        page.goto(path)
        assert TECHNICAL.findall(page.locator("#content form").first.inner_text()) == [], path


def test_publish_previews_counts_and_publishes(visit: Visit, room: str, server: Server) -> None:
    make(server, "notifications.Topic", room)
    reader = follow(visit("/notifications/"), room)
    page = visit("/admin/notifications/notification/add/", name="root")
    page.get_by_label("Topic:").select_option(label=room)
    expect(page.get_by_text("1 is listening now.")).to_be_visible()
    page.get_by_label("Title:").fill("Water main")
    page.get_by_label("Message:").fill("No water from 10 to 11.\nFill your kettles.")
    page.get_by_label("Tags:").fill("house, water")
    preview = page.locator("[data-preview]")
    expect(preview).to_contain_text("Water main")
    expect(preview).to_contain_text(f"{room} · 3 · normal · house · water")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".messagelist")).to_contain_text(f"notification 1 in {room}")
    expect(reader.locator(".note-title")).to_have_text("Water main")
    expect(reader.locator(".note-tag")).to_have_text(["house", "water"])


def test_a_mistake_in_the_form_publishes_nothing(visit: Visit, room: str, server: Server) -> None:
    make(server, "notifications.Topic", room)
    page = visit("/admin/notifications/notification/add/", name="root")
    page.get_by_label("Topic:").select_option(label=room)
    page.get_by_label("Message:").fill("Hello")
    page.get_by_label("Tags:").fill("x" * 33)
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".errornote")).to_be_visible()
    expect(page.get_by_label("Message:")).to_have_value("Hello")


def test_what_was_published_is_read_only_and_says_who_saw_it(visit: Visit, room: str) -> None:
    alice = follow(visit("/notifications/", name="alice"), room)
    say(alice, room, "Seen by me")
    alice.get_by_role("checkbox", name=f"Follow {room}").locator("..").get_by_role("button").click()
    alice.get_by_role("button", name=f"Acknowledge {room}").click()
    expect(alice.locator(".note[data-unread]:visible")).to_have_count(0)
    page = visit(f"/admin/notifications/notification/?q={room}", name="root")
    page.get_by_role("link", name="Seen by me").click()
    expect(page.locator(".field-acknowledged_by")).to_contain_text("alice")
    expect(page.locator("#content-main textarea, #content-main input[type=text]")).to_have_count(0)
    expect(page.get_by_role("link", name="Delete")).to_be_visible()


def say(page: Page, topic: str, text: str) -> None:
    form(page).get_by_label("Topic").fill(topic)
    form(page).get_by_label("Message").fill(text)
    form(page).get_by_role("button", name="Publish").click()
    expect(page.locator(f".note[data-topic='{topic}'] .note-text", has_text=text)).to_be_visible()


def test_many_are_deleted_by_the_verb(visit: Visit, room: str) -> None:
    alice = follow(visit("/notifications/", name="alice"), room)
    for text in ("one", "two", "three"):
        say(alice, room, text)
    page = visit(f"/admin/notifications/notification/?q={room}", name="root")
    for text in ("one", "two"):
        page.locator("#result_list tr", has_text=text).get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option("delete_selected")
    page.get_by_role("button", name="Run").or_(page.get_by_role("button", name="Go")).click()
    page.get_by_role("button", name=CONFIRM).click()
    mine = alice.locator(f".note[data-topic='{room}'] .note-text")
    expect(mine).to_have_text(["three", "Deleted by root", "Deleted by root"])


def test_a_counter_is_set_with_a_reason(visit: Visit, room: str, server: Server) -> None:
    pk = make(server, "counter.Counter", room)
    watcher = visit(f"/counter/{room}/")
    connected(watcher)
    page = visit(f"/admin/counter/counter/{pk}/change/", name="root")
    page.get_by_role("link", name="Set to…").click()
    page.get_by_label("Set to:").fill("42")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_label("Reason:")).to_be_focused()  # it is not set without one
    page.get_by_label("Reason:").fill("Counted by hand")
    page.get_by_role("button", name="Set").click()
    expect(watcher.locator(".counter-number")).to_have_text("42")
    page.goto(f"/admin/counter/counter/{pk}/change/")
    history = page.locator(".inline-group")
    for text in ("root", "+42", "Counted by hand"):
        expect(history).to_contain_text(text)


@pytest.mark.parametrize("scripts", [True, False])
def test_private_is_one_switch(visit: Visit, room: str, server: Server, scripts: bool) -> None:
    pk = make(server, "chat.Room", f"{room}-{scripts}".lower())
    page = visit(f"/admin/chat/room/{pk}/change/", name="root", java_script_enabled=scripts)
    switch, members = page.get_by_label("Private", exact=True), page.get_by_label("Members may:")
    expect(members).to_be_visible()
    switch.check()
    expect(members).to_be_visible(visible=not scripts)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(switch).to_be_checked()
    assert levels(server, pk) == "none none"
    switch.uncheck()
    expect(members).to_have_value("write")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(switch).not_to_be_checked()
    assert levels(server, pk) == "write write"


def levels(server: Server, pk: str) -> str:
    """What guests and members may do in a room."""
    code = f"from chat.models import Room; room = Room.objects.get(pk={pk})"
    return server.shell(f"{code}; print(room.guest_access, room.member_access)").splitlines()[-1]
