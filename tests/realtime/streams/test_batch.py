"""Entries on their way to other processes."""

import json

from realtime.processes.notices import read_notice
from realtime.streams.batch import HINT_BYTES, Batch, Stored


def batch(*texts: str) -> Batch:
    events = [Stored(seq, "chat", text, rewrites=seq == 2) for seq, text in enumerate(texts, start=1)]
    return Batch("chat.room:5", "k3f9", 1, len(texts), events)


def test_a_hint_is_plain_values_and_comes_back_as_it_was() -> None:
    sent = batch('{"seq":1}', '{"seq":2}')
    assert read_notice(json.loads(json.dumps(sent.to_item()))) == sent


def test_what_only_this_process_lacked_never_leaves_it() -> None:
    sent = batch("{}")
    sent.missed = [Stored(0, "chat", "secret")]
    assert "secret" not in json.dumps(sent.to_item())


def test_a_large_batch_carries_its_positions_only() -> None:
    hint = batch("x" * HINT_BYTES, "x").to_item()
    assert (hint["first"], hint["last"], hint["events"]) == (1, 2, [])


def test_another_format_is_not_read() -> None:
    hint = batch("{}").to_item()
    assert read_notice({**hint, "v": Batch.version + 1}) is None
    assert read_notice({"t": "batch", "v": None}) is None
