"""How stored entries reach the sockets of a group."""

from unittest.mock import Mock

import pytest

from realtime.hub.outbox import Burst, Frame
from realtime.hub.subscription import Subscription, Unstored, push_stored, push_unstored
from realtime.streams.batch import Stored


class Socket:
    """A socket that keeps what is pushed to it."""

    def __init__(self, kinds: frozenset[str] | None = None, *, live: bool = True) -> None:
        self.pushed: list[Frame | Burst] = []
        self.subscription = Subscription(self, kinds=kinds)
        self.subscription.caught_up = live

    def offer(self, frame: Frame | Burst) -> bool:
        self.pushed.append(frame)
        return True

    def overflow(self) -> None:
        raise AssertionError("there is room")

    def texts(self) -> list[str | bytes]:
        return [frame.data for pushed in self.pushed for frame in pushed.frames]


class Full(Subscription):
    """A place whose socket has no room, and where its holes begin."""

    def __init__(self) -> None:
        super().__init__(Mock(offer=lambda _: False))
        self.holes: list[int | None] = []

    def refused(self, after: int | None = None) -> None:
        self.holes.append(after)


def events(*kinds: str) -> list[tuple[Stored, Frame]]:
    return [(Stored(seq, kind, f"{kind} {seq}"), Frame(f"{kind} {seq}")) for seq, kind in enumerate(kinds, start=1)]


def test_each_socket_gets_all_in_one_write() -> None:
    sockets = [Socket(), Socket()]
    push_stored([socket.subscription for socket in sockets], events("chat", "deleted"))
    assert [len(socket.pushed) for socket in sockets] == [1, 1]
    assert sockets[0].texts() == ["chat 1", "deleted 2"]
    assert sockets[0].pushed[0] is sockets[1].pushed[0]


def test_a_socket_that_is_being_brought_up_to_date_is_passed_over() -> None:
    socket = Socket(live=False)
    push_stored([socket.subscription], events("chat"))
    assert socket.pushed == []


def test_a_socket_without_room_is_told_where_its_hole_begins() -> None:
    full = Full()
    full.caught_up = True
    push_stored([full], events("chat", "deleted"))
    push_unstored([full], [Unstored(Frame("{}"), "typing")])
    assert full.holes == [0, None]


def test_who_has_no_room_and_no_way_to_come_back_is_given_up() -> None:
    outbox = Mock(offer=lambda _: False)
    push_unstored([Subscription(outbox)], [Unstored(Frame("{}"), "typing")])
    outbox.overflow.assert_called_once_with()


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [({"chat"}, ["chat 1", "chat 3"]), ({"deleted"}, ["deleted 2"]), ({"system"}, []), (set(), [])],
)
def test_a_socket_gets_the_kinds_it_wants(kinds: set[str], expected: list[str]) -> None:
    socket = Socket(frozenset(kinds))
    push_stored([socket.subscription], events("chat", "deleted", "chat"))
    assert socket.texts() == expected
    assert len(socket.pushed) <= 1
