"""What a stream may be called."""

import pytest

from realtime.streams.name import is_name


@pytest.mark.parametrize("name", ["a", "7", "lobby", "a.b_c-d", "0-", "x" * 64])
def test_a_name_is_lower_case_letters_digits_and_three_signs(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", ".a", "-a", "_a", "A", "a b", "a/b", "ä", "a\n", "a\x00", "x" * 65, "²", "ａ"])
def test_what_cannot_be_a_name(name: str) -> None:
    assert not is_name(name)
