"""Many entries in few frames."""

import json
from typing import Any

import pytest
from django.db.models import QuerySet

from chat.events import Replay
from chat.models import Message, Room
from realtime.protocol import Event
from realtime.streams import replay
from realtime.streams.batch import Stored
from realtime.streams.replay import FIRST_PORTION, FRAME_BYTES, newest, pages, with_entries
from tests.realtime.listening import ALICE


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


LONG = "\U00020000" * 10_000
"""40 kB, as one message may have."""


def said(room: Room, *texts: str) -> QuerySet[Any]:
    """The room's messages, after these were said in it."""
    for text in texts:
        room.post(ALICE, text)
    return room.appended()


def seqs(found: tuple[list[Stored], bool]) -> tuple[list[int], bool]:
    return [each.seq for each in found[0]], found[1]


def test_the_newest_are_oldest_first_and_tell_whether_there_are_others(lobby: Room) -> None:
    rows = said(lobby, *map(str, range(45)))
    assert seqs(newest(rows, 2)) == ([44, 45], True)
    assert seqs(newest(rows, 44)) == (list(range(2, 46)), True)
    assert seqs(newest(rows, 45)) == seqs(newest(rows, 300)) == (list(range(1, 46)), False)
    assert newest(rows.none(), 3) == ([], False)


def test_the_newest_are_as_many_as_a_frame_holds(lobby: Room) -> None:
    found, more = newest(said(lobby, *[LONG] * 12), 300)
    assert [each.seq for each in found] == list(range(7, 13))
    assert more
    assert len(with_entries(Replay(messages=[]), found).encode()) <= FRAME_BYTES


def test_the_newest_is_told_however_large_it_is(lobby: Room, monkeypatch: Any) -> None:
    monkeypatch.setattr(replay, "ENTRIES_BYTES", 1000)
    assert seqs(newest(said(lobby, "a", LONG), 300)) == ([2], True)


@pytest.mark.parametrize(("texts", "read"), [([LONG] * 60, FIRST_PORTION), (["short"] * 60, 60)])
def test_little_more_is_read_than_is_told(lobby: Room, monkeypatch: Any, texts: list[str], read: int) -> None:
    rows = said(lobby, *texts)
    seen: list[int] = []
    as_event = Message.as_event

    def noted(message: Message) -> Event:
        seen.append(message.seq)
        return as_event(message)

    monkeypatch.setattr(Message, "as_event", noted)
    newest(rows, 300)
    assert len(seen) == read


def test_what_comes_while_they_are_read_is_not_told_twice(lobby: Room, monkeypatch: Any) -> None:
    rows = said(lobby, *["x"] * 30)
    as_event = Message.as_event

    def busy(message: Message) -> Event:
        if message.seq == 30:
            monkeypatch.setattr(Message, "as_event", as_event)
            said(lobby, "y", "z")
        return as_event(message)

    monkeypatch.setattr(Message, "as_event", busy)
    assert seqs(newest(rows, 25)) == (list(range(6, 31)), True)
