"""Which part of a text is an address (links.js)."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit

WIKI = "https://en.wikipedia.org/wiki/Foo_(bar)"
LINKS = """async (text) => {
  const { withLinks } = await import("/static/realtime/page/links.js");
  const place = document.createElement("p");
  place.append(...withLinks(text));
  return [place.textContent === text, Array.from(place.querySelectorAll("a"), (link) => link.getAttribute("href"))];
}"""
TEXTS: list[tuple[str, list[str]]] = [
    (f"see {WIKI}.", [WIKI]),
    (f"(see {WIKI})", [WIKI]),
    (f"(see {WIKI}).", [WIKI]),
    (f"[{WIKI}], [1]", [WIKI]),
    (f'"{WIKI}"!', [WIKI]),
    (f"\u201c{WIKI}\u201d\u2026", [WIKI]),
    ("(https://example.org/)", ["https://example.org/"]),
    ("https://example.org/a?b[]=1&c={x}", ["https://example.org/a?b[]=1&c={x}"]),
    ("http://[::1]:8000/", ["http://[::1]:8000/"]),
    ("https://example.org/a_(b_(c))).", ["https://example.org/a_(b_(c))"]),
    ("https://example.org/foo(", ["https://example.org/foo"]),
    ("https://example.org/what?!", ["https://example.org/what"]),
    ("https://example.org/a-#b", ["https://example.org/a-#b"]),
    ("https://a.example, https://b.example; https://c.example", [f"https://{name}.example" for name in "abc"]),
    ("javascript:alert(1) ftp://example.org https://) https://", []),
]


def links(page: Page, text: str) -> Any:
    """The addresses of the links in a text; the text itself stays as it is."""
    whole, found = page.evaluate(LINKS, text)
    assert whole
    return found


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit("/")


def test_an_address_ends_where_its_sentence_goes_on(page: Page) -> None:
    assert [(text, links(page, text)) for text, _ in TEXTS] == TEXTS


@pytest.mark.parametrize("long", ["http://" + "." * 100_000, "http://a.b" + ")" * 100_000, "http://a.b/ " * 10_000])
def test_a_long_text_takes_little_time(page: Page, long: str) -> None:
    took = page.evaluate("() => performance.now()")
    found = links(page, long)
    assert page.evaluate("() => performance.now()") - took < 1000
    assert len(found) <= 100
