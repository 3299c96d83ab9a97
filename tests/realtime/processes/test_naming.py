"""No two guests in a group are called alike, in whichever processes they are."""

import pytest

from realtime.access import guest_name
from realtime.processes import naming
from realtime.processes.naming import GuestNames
from realtime.processes.shares import Here, Share

SAME = "Guest-1111111"


class Process:
    """The names in a group, as one process knows them."""

    def __init__(self) -> None:
        self.share = Share()
        self.names = GuestNames(self.share)

    def comes(self, key: str, name: str = SAME) -> str:
        taken = self.names.take(key, name)
        self.share.people[key] = Here(key, taken)
        return taken

    def goes(self, key: str) -> None:
        self.names.release(key)
        del self.share.people[key]

    def called(self, key: str) -> str:
        return self.share.people[key].name


def settle(*processes: Process) -> None:
    """Each reads what the others say until nobody gets another name."""
    for _ in range(20):
        if not any(one.names.settle([each.share for each in processes if each is not one]) for one in processes):
            return
    raise AssertionError("they go on renaming each other")


def test_who_comes_while_a_name_is_taken_gets_another() -> None:
    here = Process()
    assert here.comes("guest:a") == SAME
    assert here.comes("guest:b") == guest_name("b", 1)


def test_a_name_is_free_again_when_its_guest_has_gone() -> None:
    here = Process()
    here.comes("guest:a")
    here.goes("guest:a")
    assert here.comes("guest:b") == SAME


def test_another_tab_of_a_guest_has_the_name_of_the_first() -> None:
    here, there = Process(), Process()
    here.comes("guest:a")
    name = here.comes("guest:b")
    settle(here, there)
    assert here.comes("guest:b") == there.comes("guest:b") == name


def test_guests_stay_clear_of_the_names_of_users_who_keep_theirs() -> None:
    here = Process()
    assert here.comes("user:1", SAME) == here.comes("user:2", SAME) == SAME
    assert here.comes("guest:a") != SAME


@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_who_came_at_once_in_two_processes_one_is_renamed(*, swapped: bool) -> None:
    here, there = Process(), Process()
    here.comes("guest:b" if swapped else "guest:a")
    there.comes("guest:a" if swapped else "guest:b")
    settle(here, there)
    names = [each.called(key) for each in (here, there) for key in each.share.people]
    assert sorted(names) == sorted([SAME, guest_name("b", 1)])


def test_a_guest_yields_to_a_user_elsewhere() -> None:
    here, there = Process(), Process()
    here.comes("guest:a")
    there.comes("user:1", SAME)
    settle(here, there)
    assert (here.called("guest:a"), there.called("user:1")) == (guest_name("a", 1), SAME)


def test_a_guest_in_several_processes_ends_with_one_name() -> None:
    here, there = Process(), Process()
    here.comes("guest:a")
    here.comes("guest:b")
    there.comes("guest:b")
    settle(here, there)
    assert here.called("guest:b") == there.called("guest:b") != here.called("guest:a")


def test_however_few_names_there_are_nobody_shares_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "guest_name", lambda key, attempt: f"Guest-{(ord(key[0]) + attempt) % 12}")
    processes = [Process() for _ in range(3)]
    for number, key in enumerate("abcdefghijk"):
        processes[number % 3].comes(f"guest:{key}", "Guest-0")
    settle(*processes)
    names = [here.name for each in processes for here in each.share.people.values()]
    assert len(set(names)) == 11


def test_a_name_is_found_without_being_taken() -> None:
    here, there = Process(), Process()
    here.comes("guest:a")
    settle(here, there)
    for each in (here, there):
        assert each.names.find("guest:a", "Guest-2222222") == SAME
        assert each.names.find("guest:b", SAME) == guest_name("b", 1)
        assert each.names.find("user:1", SAME) == SAME
