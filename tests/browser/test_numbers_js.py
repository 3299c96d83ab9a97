"""Numbers with their nouns (numbers.js)."""

import pytest

from tests.browser.conftest import Visit

CALLS = [
    ('counted(1, "click")', "1 click"),
    ('counted(0, "click")', "0 clicks"),
    ('counted(1200, "person", "people")', "1,200 people"),
    ("tooMany(0, 10)", ""),
    ("tooMany(1, 10)", "1 character too many: at most 10 go in one message."),
]


@pytest.mark.parametrize(("call", "words"), CALLS)
def test_a_number_has_its_noun(visit: Visit, call: str, words: str) -> None:
    module = "const { counted, tooMany } = await import('/static/realtime/page/numbers.js');"
    assert visit("/").evaluate(f"async () => {{ {module} return {call}; }}") == words
