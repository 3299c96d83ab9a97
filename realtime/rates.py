"""How much one person may send, and how often a network may connect: token buckets, counted per process."""

import time
from collections import deque
from collections.abc import Iterator

from realtime.conf import conf
from realtime.limits import is_own_machine
from realtime.per_loop import PerLoop
from realtime.protocol import CloseCode, Refused

STRIKES = 3
STRIKE_SECONDS = 60.0
PINGS_PER_SECOND, PING_BURST = 5.0, 20
"""Pings that one socket may send; a client of ours sends one in 20 s of silence."""
GUESTS_TOGETHER = 10
"""The guests of a network together may send as much as so many people: a guest's key is free to make."""
HOLDERS_KEPT = 20_000
SOCKETS_PER_COST = 1000
"""What goes to a group counts once more for so many sockets of this process in it."""
HISTORY_COST = 5
"""A page of history counts as so many messages."""


class Bucket:
    """A token bucket: it is full to begin with, and fills at a rate. What costs more than is left is owed."""

    __slots__ = ("_at", "_left")

    def __init__(self, burst: float) -> None:
        self._left = burst
        self._at = time.monotonic()

    def wait(self, rate: float, burst: float) -> float:
        """Seconds until there is room for one more; 0: there is."""
        now = time.monotonic()
        self._left = min(self._left + (now - self._at) * rate, burst)
        self._at = now
        return max(0.0, (1 - self._left) / rate)

    def spend(self, cost: float) -> None:
        """Take it out, or owe it."""
        self._left -= cost


class Buckets:
    """The buckets of those who were counted last.

    Invariant: the last to be asked is last, so what is forgotten first has had the longest time to fill.
    """

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def of(self, holder: str, burst: float) -> Bucket:
        """A holder's bucket; a full one where it is not known."""
        buckets = self._buckets
        bucket = buckets[holder] = buckets.pop(holder) if holder in buckets else Bucket(burst)
        if len(buckets) > HOLDERS_KEPT:
            del buckets[next(iter(buckets))]
        return bucket

    def known(self, holder: str) -> Bucket | None:
        """A holder's bucket, if it is known."""
        return self._buckets.get(holder)

    def __iter__(self) -> Iterator[str]:
        return iter(self._buckets)


class Rates:
    """Who has sent how much lately: a bucket for each person, and one for all guests of a network together."""

    def __init__(self) -> None:
        self.people = Buckets()
        self.networks = Buckets()
        self.connecting = Buckets()

    def take(self, holder: str, cost: float = 1, *, together: str = "") -> None:
        """Count what a holder sent, and with `together` as what the guests of that network did, or neither.

        There has to be room for one; what it costs more is owed, and waited for by what comes next. Raises Refused
        `rate_limited` with the seconds until there is room.
        """
        rate, burst = conf.command_rate, conf.command_burst
        if not rate or not burst:
            return
        own = self.people.of(holder, burst)
        if wait := own.wait(rate, burst):
            raise _too_many("messages", rate, wait)
        if together:
            self.visit(together, cost)
        own.spend(cost)

    def visit(self, network: str, cost: float = 1) -> None:
        """Count what somebody of a network asked for, as one of its guests; raises Refused `rate_limited`."""
        rate, burst = conf.command_rate * GUESTS_TOGETHER, conf.command_burst * GUESTS_TOGETHER
        if not rate or not burst:
            return
        bucket = self.networks.of(network, burst)
        if wait := bucket.wait(rate, burst):
            raise _too_many("messages from this network", rate, wait)
        bucket.spend(cost)

    def owe(self, holder: str, cost: float, *, together: str = "") -> None:
        """Count what something that was taken costs more."""
        for bucket in (self.people.known(holder), self.networks.known(together)):
            if bucket is not None:
                bucket.spend(cost)

    def connect(self, network: str) -> float:
        """Count a handshake from a network; or give the seconds until there is room for one."""
        return 0.0 if is_own_machine(network) else self._connect(network, conf.connections_per_address)

    def _connect(self, holder: str, open_at_once: int) -> float:
        """Who may have so many sockets open, 0 for any number, may open them at once."""
        rate, burst = conf.connect_rate, max(conf.connect_burst, open_at_once)
        if not (rate and conf.connect_burst and open_at_once):
            return 0.0
        bucket = self.connecting.of(holder, burst)
        wait = bucket.wait(rate, burst)
        if not wait:
            bucket.spend(1)
        return wait

    def logged_in(self, network: str, holder: str) -> float:
        """Count a handshake for the person who made it, and no more for their network, which may be an office.

        Gives the seconds until there is room for one of theirs.
        """
        bucket = self.connecting.known(network)
        if bucket is not None:
            bucket.spend(-1)
        return self._connect(holder, conf.connections_per_user)


rates: PerLoop[Rates] = PerLoop(Rates)
"""Of this process: its sockets and requests share them."""


def cost_of(size: int) -> float:
    """What a frame or a body of so many bytes counts as: a long one as several."""
    return max(1.0, size / conf.command_bytes) if conf.command_bytes else 1.0


def _too_many(what: str, rate: float, wait: float) -> Refused:
    return Refused("rate_limited", f"Too many {what} (max {rate:g} per second)", retry_after=max(0.001, round(wait, 3)))


class Strikes:
    """How often one socket was refused lately; the third time within a minute closes it."""

    __slots__ = ("_at",)

    def __init__(self) -> None:
        self._at: deque[float] | None = None

    def refuse(self, refusal: Refused) -> Refused:
        """Note a refusal for too high a rate, which closes the socket if it was one too many."""
        now = time.monotonic()
        strikes = self._at = self._at or deque()
        strikes.append(now)
        while now - strikes[0] > STRIKE_SECONDS:
            strikes.popleft()
        refusal.close = CloseCode.RATE if len(strikes) >= STRIKES else None
        return refusal


class PingRate:
    """The pings of one socket, which no setting frees: each is answered."""

    __slots__ = ("_bucket", "_strikes")

    def __init__(self) -> None:
        self._bucket = Bucket(PING_BURST)
        self._strikes = Strikes()

    def take(self) -> None:
        """Count one; raises Refused `rate_limited`."""
        wait = self._bucket.wait(PINGS_PER_SECOND, PING_BURST)
        if wait:
            raise self._strikes.refuse(_too_many("pings", PINGS_PER_SECOND, wait))
        self._bucket.spend(1)
