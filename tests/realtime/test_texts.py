"""What a text may be that somebody sends for others to read."""

import re
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError as Invalid
from pydantic import TypeAdapter, ValidationError

from accounts.secret import new_secret
from realtime.texts import LongText, check_sayable, clean_texts


@pytest.mark.parametrize("text", ["", "hi", "two\nlines\tand a tab", "שלום", "🎉", "chorus_ is no token"])
def test_what_people_write_may_be_said(text: str) -> None:
    assert check_sayable(text) == text


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[31m", "\x7f", "\x9b"])
def test_control_characters_may_not(text: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        check_sayable(text)


@pytest.mark.parametrize("text", [" ", "\n\t", "\u00a0", "\u2028\u3000", "\ufeff \ufeff"])
def test_what_shows_nothing_is_blank_as_it_is_on_pages(text: str) -> None:
    with pytest.raises(ValidationError, match="expected some text"):
        TypeAdapter(LongText).validate_python(text)
    assert TypeAdapter(LongText).validate_python(f"{text}x") == f"{text}x"
    assert not re.search(TypeAdapter(LongText).json_schema()["pattern"], text)
    assert re.search(TypeAdapter(LongText).json_schema()["pattern"], f"{text}x")


@pytest.mark.parametrize("name", ["title", "description"])
def test_what_staff_write_for_readers_is_held_to_the_same(name: str) -> None:
    for text in ("\x1b[31m", new_secret()):
        with pytest.raises(Invalid) as refused:
            clean_texts(SimpleNamespace(**{"title": "", "description": "", name: text}), "title", "description")
        assert list(refused.value.message_dict) == [name]
    clean_texts(SimpleNamespace(title="Lobby"), "title", "description")


def test_an_access_token_may_not() -> None:
    with pytest.raises(ValueError, match="access token"):
        check_sayable(f"here it is: {new_secret()}")
