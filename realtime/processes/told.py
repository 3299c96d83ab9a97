"""What sockets are told of who is here: how many, the first by name, and what changed."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field

from realtime.processes.shares import Here
from realtime.protocol import PersonInfo, Users

NAMES = 100
"""Above this many people events carry the count only."""
NOBODY = Users(count=0, connections=0, names=[], people=[])


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """Who came and who went, or who has another name; one entry for a person, not for each tab."""

    joined: list[Here]
    left: list[Here]
    users: Users
    renamed: list[tuple[Here, str]] = field(default_factory=list)
    """With the name that each had before; then nothing else has changed."""


def users_of(people: Mapping[str, Here], connections: int) -> Users:
    """How many people and connections, and who the first NAMES are."""
    first = heapq.nsmallest(NAMES, people.values(), key=lambda here: here.name.lower())
    return Users(
        count=len(people),
        connections=connections,
        names=[here.name for here in first],
        people=[PersonInfo(id=here.id or None, name=here.name) for here in first],
    )
