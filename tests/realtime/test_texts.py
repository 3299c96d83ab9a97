"""What a text may be that somebody sends for others to read."""

import pytest

from accounts.secret import new_secret
from realtime.texts import check_sayable


@pytest.mark.parametrize("text", ["", "hi", "two\nlines\tand a tab", "שלום", "🎉", "chorus_ is no token"])
def test_what_people_write_may_be_said(text: str) -> None:
    assert check_sayable(text) == text


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[31m", "\x7f", "\x9b"])
def test_control_characters_may_not(text: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        check_sayable(text)


def test_an_access_token_may_not() -> None:
    with pytest.raises(ValueError, match="access token"):
        check_sayable(f"here it is: {new_secret()}")
