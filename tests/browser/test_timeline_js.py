"""What a room's page shows of messages and of people coming and going (timeline.js, comings.js, message.js)."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

MAKE = """async () => {
  const { Timeline } = await import("/static/chat/timeline.js");
  const styles = document.createElement("link");
  Object.assign(styles, { rel: "stylesheet", href: "/static/chat/messages.css" });
  const loaded = new Promise((resolve) => (styles.onload = resolve));
  document.head.append(styles);
  await loaded;
  const place = document.querySelector("main");
  place.replaceChildren();
  window.timeline = new Timeline(place, { mayDelete: () => false, askDelete: null });
  const did = { join: "joined", leave: "left" };
  window.came = (event, name, more) =>
    timeline.event({ event, name, message: `${name} ${did[event]} the chat`, ...more });
  const timestamp = "2026-03-04T12:00:00Z";
  window.chat = (seq, sender) => ({ type: "chat", seq, sender, message: `message ${seq}`, timestamp });
}"""


def timeline(visit: Visit) -> Page:
    page = visit("/")
    page.evaluate(MAKE)
    return page


def lines(page: Page) -> Any:
    return expect(page.locator(".event"))


def test_a_few_comings_are_told_one_by_one(visit: Visit) -> None:
    page = timeline(visit)
    page.evaluate("came('join', 'ada'); came('leave', 'ada');")
    lines(page).to_have_text(["ada joined the chat · ada left the chat"])


def test_many_comings_and_goings_are_one_line(visit: Visit) -> None:
    page = timeline(visit)
    page.evaluate("for (let n = 0; n < 12; n++) { came('join', `Guest-${n}`); came('leave', `Guest-${n}`); }")
    lines(page).to_have_text(["12 people came and went"])
    page.evaluate("for (let n = 0; n < 800; n++) { came('join', `Guest-${n}`); came('leave', `Guest-${n}`); }")
    lines(page).to_have_text(["800 people came and went"])
    assert page.locator("main *").count() == 1


def test_one_person_and_one_direction_have_their_words(visit: Visit) -> None:
    page = timeline(visit)
    page.evaluate("for (let n = 0; n < 2; n++) { came('join', 'ada'); came('leave', 'ada'); }")
    page.evaluate("timeline.append([chat(1, 'bob')]); for (const name of 'abcde') came('join', name);")
    page.evaluate("timeline.append([chat(2, 'bob')]); for (const name of 'abcde') came('leave', name);")
    lines(page).to_have_text(["1 person came and went", "5 people came", "5 people left"])


def test_a_crowd_is_counted(visit: Visit) -> None:
    page = timeline(visit)
    page.evaluate(
        "came('join', undefined, { people: 30 }); came('join', 'ada'); came('leave', undefined, { people: 20 });"
    )
    lines(page).to_have_text(["31 people came and went"])


def test_comings_are_not_read_out(visit: Visit) -> None:
    page = timeline(visit)
    page.evaluate("came('join', 'ada')")
    lines(page).to_have_attribute("aria-live", "off")


def test_each_message_is_read_with_who_said_it_and_when(visit: Visit) -> None:
    page = timeline(visit)
    page.evaluate("timeline.append([chat(1, 'ada'), chat(2, 'ada'), chat(3, 'bob')])")
    expect(page.locator(".sender")).to_have_text(["ada", "bob"])
    read = page.locator("main").aria_snapshot()
    assert [read.count(name) for name in ("ada", "bob")] == [2, 1]
    who = page.locator(".message-who").nth(1)
    expect(who).to_have_text("ada, 13:00: ")
    box = who.bounding_box()
    assert box is not None
    assert max(box["width"], box["height"]) <= 1


def test_groups_that_become_one_still_tell_whose_each_message_is(visit: Visit) -> None:
    page = timeline(visit)
    page.evaluate("timeline.append([chat(3, 'ada')]); timeline.prepend([chat(1, 'ada'), chat(2, 'ada')]);")
    expect(page.locator(".sender")).to_have_count(1)
    assert page.locator("main").aria_snapshot().count("ada") == 3


def test_who_reads_older_messages_keeps_them_up_to_a_number(visit: Visit) -> None:
    page = timeline(visit)
    page.evaluate("timeline.append(Array.from({ length: 2000 }, (_, n) => chat(n + 1, 'ada')))")
    assert page.evaluate("timeline.trim({ read: true })") is False
    page.evaluate("timeline.append(Array.from({ length: 2000 }, (_, n) => chat(n + 2001, 'ada')))")
    assert page.evaluate("timeline.trim({ read: true })") is True
    expect(page.locator(".message")).to_have_count(1000)
