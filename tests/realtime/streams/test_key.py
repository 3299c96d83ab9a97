"""The key of a stream."""

import pytest

from realtime.streams.key import group_of, key_of, split_key


def test_a_key_is_a_label_and_a_primary_key() -> None:
    assert key_of("chat.room", 5) == "chat.room:5"
    assert split_key("chat.room:5") == ("chat.room", "5")


@pytest.mark.parametrize("text", ["", "chat.room", "5"])
def test_in_what_is_no_key_there_is_no_primary_key(text: str) -> None:
    assert split_key(text) == (text, "")


def test_a_stream_s_group_name_suits_every_layer() -> None:
    assert group_of("chat.room:5") == "chat.room.5"
