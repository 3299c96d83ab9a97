"""One per process: which local sockets listen to what, how events reach them, and how entries are committed."""

from realtime.hub.hub import Hub, current_hub
from realtime.hub.journal import current_journal
from realtime.hub.live import Start
from realtime.hub.outbox import Frame
from realtime.hub.subscription import Subscription

__all__ = [
    "Frame",
    "Hub",
    "Start",
    "Subscription",
    "current_hub",
    "current_journal",
]
