"""People in a room are told apart by their ids, whatever they are called."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_room import connected, say
from tests.namesakes import cookie, namesakes
from tests.processes import Server


def guest(visit: Visit, server: Server, room: str, key: str) -> Page:
    """The room as a guest with this key sees it."""
    name, value = cookie(key)
    state: Any = {"cookies": [{"name": name, "value": value, "url": server.http}]}
    return connected(visit(f"/chat/{room}/", storage_state=state))


def test_a_namesake_is_called_otherwise_and_stays_in_the_list_when_the_other_goes(
    visit: Visit, server: Server, room: str
) -> None:
    first, second = (guest(visit, server, room, key) for key in namesakes())
    people = second.locator("[data-people-list] .person")
    expect(people).to_have_count(2)
    assert len(set(people.locator("bdi").all_inner_texts())) == 2
    first.close()
    expect(people).to_have_count(1)
    expect(people).to_contain_text("you")
    expect(second.locator("[data-people-count]")).to_have_text("1")


def test_what_another_said_under_one_s_name_is_not_one_s_own(visit: Visit, server: Server, room: str) -> None:
    first, second = namesakes()
    page = guest(visit, server, room, first)
    say(page, "mine")
    expect(page.locator(".message-delete")).to_have_count(1)
    page.close()
    other = guest(visit, server, room, second)
    say(other, "of a namesake")
    expect(other.locator(".messages .message-text")).to_have_text(["mine", "of a namesake"])
    senders = other.locator(".sender")
    assert senders.all_inner_texts() == [senders.first.inner_text()] * 2
    expect(other.locator(".message-delete")).to_have_count(1)
    expect(other.locator(".message", has_text="mine").locator(".message-delete")).to_have_count(0)


def test_a_rename_shows_in_every_open_room_and_over_what_is_said_next(visit: Visit, room: str) -> None:
    root = visit("/admin/", name="root")
    bob, guest = connected(visit(f"/chat/{room}/", name="bob")), connected(visit(f"/chat/{room}/"))
    say(bob, "before")
    rename(root, "bob", "robert")
    for page in (bob, guest):
        expect(page.locator("[data-people-list] bdi", has_text="robert")).to_be_visible(timeout=2000)
        expect(page.locator("[data-people-list] bdi", has_text="bob")).to_have_count(0)
    expect(bob.locator(".account-name")).to_have_text("robert")
    say(bob, "after")
    expect(guest.locator(".sender")).to_have_text(["bob", "robert"])
    expect(bob.locator(".message-delete")).to_have_count(2)
    rename(root, "robert", "bob")


def rename(root: Page, name: str, new: str) -> None:
    root.goto(f"/admin/auth/user/?q={name}")
    root.get_by_role("link", name=name, exact=True).click()
    root.get_by_label("Username").fill(new)
    root.get_by_role("button", name="Save", exact=True).click()
    expect(root.locator(".messagelist .success")).to_be_visible()
