"""Who hears what a hub tells a group."""

from realtime.hub.outbox import Burst, Frame
from realtime.hub.subscription import Subscription


class Ear:
    """A socket in a group that keeps what it hears."""

    def __init__(self, key: str = "", kinds: frozenset[str] | None = None, *, opened: bool = True) -> None:
        self.heard: list[str | bytes] = []
        self.subscription = Subscription(self, key=key, kinds=kinds, opened=opened)

    def offer(self, frame: Frame | Burst) -> bool:
        """Take what is told."""
        self.heard += [each.data for each in frame.frames]
        return True

    def overflow(self) -> None:
        """Never: there is always room."""
