"""An event stream is read as its standard says, however it is cut (event_parser.js)."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit

READ = """
async (pieces) => {
  const { EventParser } = await import("/static/realtime/connection/event_parser.js");
  const told = [];
  const parser = new EventParser({ event: (event) => told.push(event), retry: (ms) => told.push(ms) });
  for (const piece of pieces) parser.read(piece);
  return told;
}
"""


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit("/")


def read(page: Page, *pieces: str) -> Any:
    return page.evaluate(READ, [*pieces])


def event(data: str, type: str = "message", id: str = "") -> dict[str, str]:
    return {"type": type, "data": data, "id": id}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_three_ways_and_may_be_cut_anywhere(page: Page, end: str) -> None:
    lines = [
        "\ufeffretry: 2817",
        "",
        ": a comment",
        "id: a=1",
        "event: told",
        "data: one",
        "data:two",
        "",
        "data",
        "",
        "",
    ]
    text = end.join(lines) + end
    expected = [2817, event("one\ntwo", "told", "a=1"), event("", id="a=1")]
    assert read(page, text) == expected
    assert read(page, *text) == expected
    for at in range(len(text)):
        assert read(page, text[:at], text[at:]) == expected


def test_what_is_no_event_is_passed_over(page: Page) -> None:
    assert read(page, "event: told\n\nretry: soon\nfield: x\ndata: 1\n\ndata: unfinished") == [event("1")]


def test_an_id_stays_until_another_comes_and_holds_no_nul(page: Page) -> None:
    text = "id: 1\ndata: a\n\ndata: b\n\nid: 2\0\ndata: c\n\nid\ndata: d\n\n"
    assert [each["id"] for each in read(page, text)] == ["1", "1", "1", ""]
