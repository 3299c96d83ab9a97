"""What the entries of a stream come to where they change and delete one another (items.js)."""

from playwright.sync_api import Page

from tests.browser.conftest import Visit

MODULE = """
const { keepItems } = await import('/static/realtime/connection/items.js');
const seen = [], asked = [], listeners = {}, older = [];
const socket = {
  on: (type, listener) => (listeners[type] = listener),
  request: async (command) => (asked.push(command.before), older.shift()),
};
keepItems(socket, "note", {
  show: (item) => seen.push(["show", item.position, item.text]),
  remove: ({ position }) => seen.push(["remove", position]),
});
const tell = (type, event) => listeners[type]({ type, ...event });
const note = (seq, text, more) => ({ type: "note", seq, text, ...more });
"""


def seen(page: Page, script: str) -> list[object]:
    """What was shown and removed."""
    found: list[object] = page.evaluate(f"async () => {{ {MODULE} {script} await null; return [...seen, ...asked]; }}")
    return found


def test_things_are_put_up_changed_and_deleted(visit: Visit) -> None:
    script = """
      tell("joined", { messages: [note(1, "a")], more: false, resumed: false });
      tell("note", note(2, "b"));
      tell("note", note(3, "A", { target: 1 }));
      tell("deleted", { seq: 4, target: 2 });
    """
    assert seen(visit("/"), script) == [["show", 1, "a"], ["show", 2, "b"], ["show", 1, "A"], ["remove", 2]]


def test_what_is_older_is_asked_for_until_nothing_is(visit: Visit) -> None:
    script = """
      older.push({ messages: [note(3, "c"), note(4, "d")], more: true }, { messages: [note(1, "a")], more: false });
      tell("joined", { messages: [note(5, "e")], more: true, resumed: false });
      await null; await null; await null; await null; await null;
    """
    assert seen(visit("/"), script) == [
        ["show", 5, "e"],
        ["show", 3, "c"],
        ["show", 4, "d"],
        ["show", 1, "a"],
        5,
        3,
    ]


def test_what_was_said_last_counts_though_what_is_older_comes_later(visit: Visit) -> None:
    script = """
      older.push({ messages: [note(1, "a"), note(2, "b")], more: false });
      const newest = [note(7, "B", { target: 2 }), { type: "deleted", seq: 8, target: 1 }];
      tell("joined", { messages: newest, more: true, resumed: false });
      await null; await null;
    """
    assert seen(visit("/"), script) == [["show", 2, "B"], 7]


def test_a_change_of_what_is_no_more_shows_nothing(visit: Visit) -> None:
    script = """tell("joined", { messages: [note(7, "B", { target: 2 })], more: false, resumed: false });"""
    assert seen(visit("/"), script) == []


def test_a_resumed_stream_goes_on_and_another_begins_anew(visit: Visit) -> None:
    script = """
      tell("joined", { messages: [note(1, "a"), note(2, "", { deleted: true })], more: false, resumed: false });
      tell("joined", { messages: [note(3, "c")], more: false, resumed: true });
      tell("replay", { messages: [note(4, "d")] });
      tell("joined", { messages: [note(9, "z")], more: false, resumed: false });
    """
    assert seen(visit("/"), script) == [
        ["show", 1, "a"],
        ["show", 3, "c"],
        ["show", 4, "d"],
        ["remove", 1],
        ["remove", 3],
        ["remove", 4],
        ["show", 9, "z"],
    ]
