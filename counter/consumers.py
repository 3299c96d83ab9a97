"""The counter's socket: parse, call a verb, reply."""

from counter import events
from counter.models import Change, Counter
from realtime.consumers import StreamConsumer, command
from realtime.hub import Frame, Start
from realtime.protocol import Event
from realtime.streams import Entry, Stored

DEFAULT = "default"


class CounterConsumer(StreamConsumer):
    """`/ws/counter/` and `/ws/counter/<name>/`: unasked, only `users` and `state` are ever sent."""

    __slots__ = ()

    model = Counter
    default_name = DEFAULT
    presence_seconds = 0.5

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
        await self.store(Change.of(self.identity, delta, client_id))

    def answer(self, entry: Entry) -> Event | None:
        """What a change with an id has made; `state` tells of the others."""
        return entry.as_event() if entry.client_id else None
