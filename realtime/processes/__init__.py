"""What crosses processes: the bus between them, the door to all of them, and who is present in any of them."""

from realtime.processes.reach import listeners
from realtime.processes.shares import Here
from realtime.processes.told import NAMES, PresenceChange

__all__ = [
    "NAMES",
    "Here",
    "PresenceChange",
    "listeners",
]
