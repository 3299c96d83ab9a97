"""Who hears of events and of values that change (listeners.js)."""

from playwright.sync_api import Page

from tests.browser.conftest import Visit

MODULE = "const { Listeners, Watched } = await import('/static/realtime/connection/listeners.js'); const heard = [];"


def heard(page: Page, script: str) -> list[object]:
    """What `script` put into `heard`."""
    found: list[object] = page.evaluate(f"async () => {{ {MODULE} {script} return heard; }}")
    return found


def test_each_listener_hears_events_of_its_type_until_it_stops(visit: Visit) -> None:
    script = """
      const listeners = new Listeners();
      const stop = listeners.on("one", ({ value }) => heard.push(["first", value]));
      listeners.on("one", ({ value }) => heard.push(["second", value]));
      listeners.on("two", ({ value }) => heard.push(["other", value]));
      listeners.emit({ type: "one", value: 1 });
      stop();
      listeners.emit({ type: "one", value: 2 });
      listeners.emit({ type: "unknown", value: 3 });
    """
    assert heard(visit("/"), script) == [["first", 1], ["second", 1], ["second", 2]]


def test_a_watcher_is_told_at_once_and_of_each_change_until_it_stops(visit: Visit) -> None:
    script = """
      const watched = new Watched("a");
      const stop = watched.watch((value) => heard.push(value));
      watched.set("b");
      stop();
      watched.set("c");
      heard.push(watched.value);
    """
    assert heard(visit("/"), script) == ["a", "b", "c"]


def test_a_value_set_by_a_watcher_is_what_the_others_hear_last(visit: Visit) -> None:
    script = """
      const watched = new Watched(0);
      watched.watch((value) => value === 1 && watched.set(2));
      watched.watch((value) => heard.push(value));
      watched.set(1);
    """
    assert heard(visit("/"), script) == [0, 2, 2]
