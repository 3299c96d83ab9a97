"""The counter's socket: parse, call a verb, reply."""

from counter import events
from counter.models import Change, Counter
from realtime.consumers import StreamConsumer, command
from realtime.hub import Frame, Hub, Start, current_journal
from realtime.processes import PresenceChange
from realtime.protocol import Event
from realtime.streams import Entry, Stored

DEFAULT = "default"


class CounterConsumer(StreamConsumer):
    """`/ws/counter/` and `/ws/counter/<name>/`: unasked, only `users` and `state` are ever sent."""

    __slots__ = ()

    model = Counter
    presence_seconds = 0.5

    def stream_name(self) -> str:
        """The counter in the address, or the one called `default`."""
        name: str | None = self.scope["url_route"]["kwargs"].get("counter")
        return name or DEFAULT

    def begin(self, start: Start) -> list[Stored]:
        """How many are here, then where the counter stands."""
        users = events.UsersEvent(count=self.hub.presence.connections(self.group))
        self.push(Frame(users.encode()))
        for state in start.events[-1:]:
            self.push(Frame(state.text))
        return []

    @command(events.Plus)
    async def plus(self, click: events.Plus) -> None:
        """Add one."""
        await self._add(1, click.id)

    @command(events.Minus)
    async def minus(self, click: events.Minus) -> None:
        """Take one away."""
        await self._add(-1, click.id)

    @command(events.Add)
    async def add(self, add: events.Add) -> None:
        """Add a number."""
        await self._add(add.delta, add.id)

    async def _add(self, delta: int, client_id: str | None) -> None:
        await self.require("write")
        change = Change.of(self.identity, delta, client_id)
        await self.answer_later(current_journal().append(self.stream, change), client_id, acknowledge)

    @staticmethod
    def tell_presence(hub: Hub, group: str, change: PresenceChange) -> None:
        """Tell a counter's local sockets how many they are."""
        hub.push(group, "users", events.UsersEvent(count=change.users.connections or 0).encode())


def acknowledge(change: Entry) -> Event | None:
    """The answer to a change with an id; `state` tells of the others."""
    return change.as_event() if change.client_id else None
