"""What somebody sees who is muted in a room while they are there."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visit


def enter(visit: Visit, room: str) -> Page:
    page = visit(f"/chat/{room}/", name="alice", viewport=PHONE)
    expect(page.locator(".room-status .badge")).to_have_text("Connected")
    return page


def impose(visit: Visit, room: str, kind: str, length: str) -> Page:
    """Root mutes or bans alice in admin, and stays there."""
    root = visit(f"/admin/realtime/connection/?q={room}", name="root")
    root.get_by_role("link", name="Mute or ban… alice").click()
    root.get_by_label("They:").select_option(kind)
    root.get_by_label("For how long:").select_option(length)
    root.get_by_label("Reason:").fill("Shouting")
    root.get_by_role("button", name="Mute or ban").click()
    expect(root.locator(".messagelist")).to_contain_text("may not")
    return root


def lift(root: Page, room: str) -> None:
    root.goto(f"/admin/chat/sanction/?q={room}")
    root.locator("#result_list").get_by_role("link", name="alice").click()
    root.get_by_role("link", name="Delete").click()
    root.get_by_role("button", name="Yes").click()


def test_the_composer_rests_and_says_why_until_the_mute_is_lifted(visit: Visit, room: str) -> None:
    page = enter(visit, room)
    field, why = page.get_by_label("Message to"), page.locator("[data-rights]")
    field.fill("not yet said")
    root = impose(visit, room, "mute", "3600")
    expect(why).to_contain_text("You are muted in this room until")
    expect(why).to_contain_text("Reason: Shouting")
    expect(field).to_be_disabled()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    expect(field).to_have_value("not yet said")
    lift(root, room)
    expect(field).to_be_enabled()
    expect(why).to_be_hidden()
    field.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("not yet said")


def test_who_comes_back_muted_finds_the_composer_at_rest(visit: Visit, room: str) -> None:
    page = enter(visit, room)
    root = impose(visit, room, "mute", "")
    page.reload()
    expect(page.locator("[data-rights]")).to_have_text("You are muted in this room. Reason: Shouting")
    expect(page.get_by_label("Message to")).to_be_disabled()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    lift(root, room)
    expect(page.get_by_label("Message to")).to_be_enabled()


def test_the_composer_comes_back_by_itself_when_a_mute_ends(visit: Visit, room: str) -> None:
    page, root = enter(visit, room), visit(f"/chat/{room}/", name="root")
    root.locator(".people-list").get_by_role("button", name="alice").click()
    root.get_by_label("For how long").evaluate("list => list.add(new Option('3 s', '3', true, true))")
    root.get_by_role("button", name="Mute").click()
    expect(page.get_by_label("Message to")).to_be_disabled()
    expect(page.get_by_label("Message to")).to_be_enabled()
    expect(page.locator("[data-rights]")).to_be_hidden()


def test_who_is_banned_reads_why(visit: Visit, room: str) -> None:
    page = enter(visit, room)
    impose(visit, room, "ban", "")
    expect(page.locator(".room-status")).to_contain_text("You are banned from this room. Reason: Shouting")
