"""What other processes are told by one that serves no sockets."""

from typing import Any

from realtime.connections.control import CONTROL
from tests.realtime.layers import RecordingLayer

LAYERS = {"default": {"BACKEND": "tests.realtime.layers.RecordingLayer"}}


def control() -> list[dict[str, Any]]:
    """The control messages since this was last asked."""
    told, RecordingLayer.told[:] = list(RecordingLayer.told), []
    return [item for group, message in told if group == CONTROL for item in message["items"]]


def reviews() -> list[tuple[list[str], list[str], bool]]:
    """What was to be looked at again since this was last asked: users, streams, everyone."""
    return [(item["users"], item["streams"], item["everyone"]) for item in control() if item["t"] == "review"]
