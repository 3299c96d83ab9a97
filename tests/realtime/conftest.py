"""What the tests of realtime share: somebody else to talk to."""

import pytest
from pytest_django import Settings

from tests.realtime.layers import RecordingLayer
from tests.realtime.told import LAYERS


@pytest.fixture
def told(settings: Settings) -> type[RecordingLayer]:
    """Another process, as far as this one is concerned."""
    settings.CHANNEL_LAYERS = LAYERS
    RecordingLayer.told = []
    return RecordingLayer
