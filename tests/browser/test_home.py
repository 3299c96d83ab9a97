"""The home page."""

from playwright.sync_api import expect
from websockets.sync.client import connect

from tests.browser.conftest import Visit
from tests.processes import Server


def test_each_route_has_its_address_to_copy(visit: Visit, server: Server) -> None:
    page = visit("/", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the address of Echo").click()
    assert page.evaluate("navigator.clipboard.readText()") == f"{server.ws}/ws/echo/"


def test_copying_works_without_a_clipboard_api(visit: Visit, server: Server) -> None:
    """As on a phone that reaches a development server over plain http."""
    page = visit("/", permissions=["clipboard-read"])
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("addEventListener('copy', () => (window.copied = getSelection().toString()))")
    page.get_by_role("button", name="Copy the address of Echo").click()
    expect(page.get_by_text("Copied", exact=True).first).to_be_visible()
    assert page.evaluate("window.copied") == f"{server.ws}/ws/echo/"


def test_a_route_opens_in_the_console(visit: Visit) -> None:
    page = visit("/")
    page.get_by_role("link", name="Try it in the console: Echo").click()
    expect(page.get_by_label("or type its address")).to_have_value("/ws/echo/")


def test_numbers_are_live(visit: Visit, server: Server) -> None:
    page = visit("/")
    number = page.locator('[data-number="connections"]')
    expect(number).to_have_text("0", timeout=10_000)
    label = page.locator("dl > div", has=number).locator("dt")
    expect(label).to_have_text("connections open now")
    with connect(f"{server.ws}/ws/echo/"):
        expect(number).to_have_text("1", timeout=10_000)
        expect(label).to_have_text("connection open now")
