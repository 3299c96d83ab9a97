"""Many entries in few frames."""

import json
from typing import Any

from chat.events import Replay
from realtime.streams.batch import Stored
from realtime.streams.replay import FRAME_BYTES, newest, pages, with_entries


def entry(seq: int, size: int = 1) -> Stored:
    return Stored(seq, "chat", json.dumps({"seq": seq, "message": "x" * size}))


def test_entries_are_put_into_an_event_as_they_are() -> None:
    event: dict[str, Any] = json.loads(with_entries(Replay(messages=[]), [entry(1), entry(2)]))
    assert event == {"type": "replay", "messages": [json.loads(entry(1).text), json.loads(entry(2).text)]}


def test_no_entries_are_an_empty_list() -> None:
    assert json.loads(with_entries(Replay(messages=[]), [])) == {"type": "replay", "messages": []}


def test_nothing_is_one_empty_page() -> None:
    assert list(pages([])) == [[]]


def test_pages_hold_everything_once_and_in_order() -> None:
    entries = [entry(seq, 10_000) for seq in range(300)]
    assert [each for page in pages(entries) for each in page] == entries


def test_a_frame_of_a_page_stays_below_its_limit() -> None:
    entries = [Stored(seq, "chat", json.dumps("🎉" * 2500, ensure_ascii=False)) for seq in range(200)]
    sizes = [len(with_entries(Replay(messages=[]), page).encode()) for page in pages(entries)]
    assert max(sizes) <= FRAME_BYTES
    assert len(sizes) <= 9


def test_an_entry_larger_than_a_page_has_one_of_its_own() -> None:
    entries = [entry(1, 2 * FRAME_BYTES), entry(2), entry(3, 2 * FRAME_BYTES)]
    assert [[each.seq for each in page] for page in pages(entries)] == [[1], [2], [3]]


def test_the_newest_are_as_many_as_a_frame_holds() -> None:
    entries = [entry(seq, 10_000) for seq in range(100)]
    found = newest(entries)
    assert found == entries[-len(found) :]
    assert FRAME_BYTES - 15_000 < len(with_entries(Replay(messages=[]), found)) <= FRAME_BYTES


def test_the_newest_of_few_are_all_and_of_none_none() -> None:
    assert newest([entry(1), entry(2)]) == [entry(1), entry(2)]
    assert newest([]) == []


def test_the_newest_is_told_however_large_it_is() -> None:
    assert newest([entry(1), entry(2, 2 * FRAME_BYTES)]) == [entry(2, 2 * FRAME_BYTES)]
