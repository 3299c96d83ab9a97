"""Consumers of the tests begin each test without a fault."""

import pytest

from tests.realtime.consumers.talk import Talk


@pytest.fixture(autouse=True)
def _good_consumers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Talk, "at_opening", None)
    monkeypatch.setattr(Talk, "at_closing", None)
