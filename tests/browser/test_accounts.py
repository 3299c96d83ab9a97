"""Login, logout and token pages."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit


def test_login_leads_back_and_logout_out(visit: Visit) -> None:
    page = visit("/console/")
    page.get_by_role("link", name="Log in").click()
    expect(page.get_by_text("Ask your administrator for an account.")).to_be_visible()
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Console")
    page.get_by_text("alice").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def test_a_token_is_shown_once_works_and_is_revoked(visit: Visit) -> None:
    page = visit("/accounts/tokens/", name="bob")
    page.get_by_label("Name").fill("Backup script")
    page.get_by_role("button", name="Make token").click()
    secret = page.locator(".card-new code").first.inner_text()
    assert secret.startswith("chorus_")
    expect(page.locator("#token-example")).to_contain_text(secret)
    console = visit("/console/?route=/ws/secure-echo/&send=hi")
    console.get_by_text("Log in with a token").click()
    console.get_by_label("Token, sent as the first message").fill(secret)
    console.get_by_role("button", name="Connect").click()
    expect(console.locator(".frame-preview").last).to_contain_text('"username":"bob"')
    page.goto("/accounts/tokens/")
    assert secret not in page.content()
    page.get_by_role("button", name="Revoke Backup script").click()
    expect(page.get_by_role("status").first).to_contain_text("Backup script is revoked")
    expect(page.get_by_text("Revoked", exact=True)).to_be_visible()


def test_escape_closes_the_account_menu(visit: Visit) -> None:
    page = visit("/", name="alice")
    page.locator("[data-menu] summary").press("Enter")
    expect(page.get_by_role("link", name="Change password")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Change password")).to_be_hidden()
