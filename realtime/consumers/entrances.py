"""Into which streams sockets want to go, looked up together."""

from typing import Any, NamedTuple

from realtime.access import Identity, Rights
from realtime.gathered import Gathered
from realtime.protocol import Refused
from realtime.streams.name import is_name
from realtime.streams.stream import Stream


class Entrance(NamedTuple):
    """A stream that somebody wants to enter."""

    model: type[Stream]
    name: str
    identity: Identity


def _open_all(asked: list[Entrance]) -> dict[Entrance, tuple[Stream, Rights] | Refused]:
    """Open what sockets want to enter at the same moment: one query for each model, and what their rights ask."""
    rows: dict[tuple[type[Stream], str], Stream] = {}
    for model in {each.model for each in asked}:
        names = {name for each in asked if each.model is model and is_name(name := each.name.lower())}
        rows.update({(model, row.name): row for row in model._default_manager.filter(name__in=names)} if names else {})
    found: dict[Entrance, tuple[Stream, Rights] | Refused] = {}
    for each in asked:
        try:
            manager: Any = each.model._default_manager
            stream = rows.get((each.model, each.name.lower())) or manager.open(each.name, each.identity)
            found[each] = stream, Rights(each.identity, stream)
        except Refused as refusal:
            found[each] = refusal
    return found


entrances = Gathered(_open_all)
"""A crowd that enters one room at once costs a query."""
