"""What guests are called in a group: no two of them alike, in whichever processes they are.

Within a process a name that is taken is taken by nobody else. Of two who took one at the same moment in two processes,
the one with the greater key gets another as soon as the processes have read each other's shares.
"""

from collections.abc import Collection
from itertools import count

from realtime.access import guest_name
from realtime.processes.shares import Here, Share

GUEST = "guest:"


class GuestNames:
    """The names in one group, as this process knows them; users have their own, which guests stay clear of."""

    def __init__(self, mine: Share, others: Collection[Share] = ()) -> None:
        self._mine = mine
        self._others: Collection[Share] = ()
        self._here: dict[str, str] = {}
        """Who has a name in this process, by identity key."""
        self._elsewhere: dict[str, str] = {}
        """The same for the other processes; of several keys the least."""
        self.settle(others)

    def find(self, key: str, name: str) -> str:
        """What somebody would be called: a guest as in their tabs, else by their own name unless it is taken."""
        if not key.startswith(GUEST):
            return name
        known = [share.people[key].name for share in (self._mine, *self._others) if key in share.people]
        return self._free(key, known[0] if known else name)

    def take(self, key: str, name: str) -> str:
        """Let somebody who comes, or is renamed, have a name; returns which."""
        name = self.find(key, name)
        self.release(key)
        self._here[name] = key
        return name

    def release(self, key: str) -> None:
        """Somebody has no socket here any more."""
        here = self._mine.people.get(key)
        if here is not None and self._here.get(here.name) == key:
            del self._here[here.name]

    def settle(self, others: Collection[Share]) -> bool:
        """Compare with what the others say now; True if somebody here got another name."""
        self._others, self._elsewhere = others, {}
        for share in others:
            for key, here in share.people.items():
                self._elsewhere[here.name] = min(key, self._elsewhere.get(here.name, key))
        moved = False
        for key, here in list(self._mine.people.items()) if others else ():
            if key.startswith(GUEST) and (name := self._settled(key, here.name)) != here.name:
                self.release(key)
                self._here[name] = key
                self._mine.people[key] = Here(key, name, here.id)
                moved = True
        return moved

    def _settled(self, key: str, name: str) -> str:
        # A guest with tabs in several processes has one name in all of them: each chooses the same.
        name = min([name, *(share.people[key].name for share in self._others if key in share.people)])
        rival = self._elsewhere.get(name, key)
        yields = rival != key and (rival < key or not rival.startswith(GUEST))
        return self._free(key, name) if yields or self._here.get(name, key) != key else name

    def _free(self, key: str, name: str) -> str:
        for attempt in count(1):
            if all(holders.get(name, key) == key for holders in (self._here, self._elsewhere)):
                break
            name = guest_name(key.removeprefix(GUEST), attempt)
        return name
