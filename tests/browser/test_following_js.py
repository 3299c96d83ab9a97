"""What was missed, and when all of it has come (following.js), without a socket."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit

SETUP = """
  const { Following } = await import("/static/realtime/connection/following.js");
  const told = [];
  const following = new Following({ what: "word", settled: (status) => told.push(status) });
  const start = (seq, more = {}) => ({ seq, epoch: "e1", recovered: true, ...more });
  const entries = (cursor, ...seqs) => seqs.map((seq) => following.take(cursor, { seq }));
  const cursor = following.follow();
  following.opened();
"""
CONNECTED = {"state": "connected"}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def page(visit: Visit) -> Page:
    found = visit("/")
    found.clock.install(time=NOON)
    found.clock.pause_at(NOON + timedelta(hours=1))  # from here on a test moves it
    return found


def told(page: Page, script: str) -> list[Any]:
    """What `settled` was called with, and what `script` put there."""
    found: list[Any] = page.evaluate(f"async () => {{ {SETUP} {script} return told; }}")
    return found


def back(missed: int, *, whole: bool = True) -> dict[str, Any]:
    return {"state": "connected", "missed": missed, "whole": whole, "what": "word"}


def test_the_first_connection_has_no_news(page: Page) -> None:
    script = "following.begin(cursor, start(2), true); entries(cursor, 1, 2); following.proceed();"
    assert told(page, script) == [CONNECTED]


def test_after_an_interruption_it_tells_how_much_was_missed(page: Page) -> None:
    script = """
      following.begin(cursor, start(2), false);
      following.proceed();
      following.lost();
      following.opened();
      following.begin(cursor, start(7), true);
      following.proceed();
      entries(cursor, 3, 4);
      following.take(cursor, { seq: 5, deleted: true });
      following.take(cursor, { seq: 6, target: 1 });
      following.take(cursor, { seq: 7 }, true);
      following.proceed();
    """
    assert told(page, script) == [CONNECTED, back(2)]


def test_of_many_streams_the_last_to_arrive_settles(page: Page) -> None:
    script = """
      const other = following.follow();
      following.begin(cursor, start(1), true);
      following.begin(other, start(1), true);
      entries(cursor, 1);
      following.proceed();
      told.push("not yet");
      entries(other, 1);
      following.proceed();
    """
    assert told(page, script) == ["not yet", CONNECTED]


def test_what_never_comes_is_waited_for_a_second(page: Page) -> None:
    page.evaluate(
        f"async () => {{ {SETUP} following.begin(cursor, start(9), true); following.proceed();"
        " Object.assign(window, { told, following, cursor }); }"
    )
    page.clock.run_for(900)
    assert page.evaluate("told") == []
    page.clock.run_for(200)
    assert page.evaluate("told") == [CONNECTED]
    late = page.evaluate("following.take(cursor, { seq: 3 })")
    assert late == {"fresh": True, "replayed": True}, "what comes late is not lost"
    assert page.evaluate("cursor.position") == {"seq": 3, "epoch": "e1"}


def test_a_live_entry_ends_a_replay_of_which_the_end_is_gone(page: Page) -> None:
    script = """
      following.begin(cursor, start(5), true);
      told.push(...entries(cursor, 4, 6));
      following.proceed();
    """
    live = {"fresh": True, "replayed": False}
    assert told(page, script) == [{"fresh": True, "replayed": True}, live, CONNECTED]


def test_a_history_that_was_reset_begins_anew_and_is_not_whole(page: Page) -> None:
    script = """
      following.begin(cursor, start(5), false);
      following.proceed();
      told.push(following.begin(cursor, start(2, { epoch: "e2", recovered: false }), true));
      told.push(...entries(cursor, 1, 2, 2).map(({ fresh }) => fresh));
      following.proceed();
    """
    assert told(page, script) == [CONNECTED, False, True, True, False, back(2, whole=False)]


def test_a_stream_of_which_nothing_is_left_goes_on_from_where_it_stands(page: Page) -> None:
    script = """
      following.begin(cursor, start(57, { recovered: false }), false);
      told.push(cursor.position);
    """
    assert told(page, script) == [{"seq": 57, "epoch": "e1"}]


def test_a_stream_that_was_left_is_not_waited_for(page: Page) -> None:
    script = """
      const left = following.follow();
      following.begin(left, start(9), true);
      following.leave(left);
      following.begin(cursor, start(0), true);
      following.proceed();
    """
    assert told(page, script) == [CONNECTED]
