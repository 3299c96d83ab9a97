"""What crosses processes: the bus between them, the door to all of them, and who is present in any of them."""

from realtime.processes.presence import NAMES, PresenceChange
from realtime.processes.reach import listeners

__all__ = [
    "NAMES",
    "PresenceChange",
    "listeners",
]
