"""Numbers with their nouns."""

import pytest

from realtime.words import counted


@pytest.mark.parametrize(("count", "said"), [(0, "0 people"), (1, "1 person"), (2, "2 people")])
def test_one_is_no_many(count: int, said: str) -> None:
    assert counted(count, "person", "people") == said
    assert counted(count, "room") == said.replace("person", "room").replace("people", "rooms")
