"""What sockets are told of who is here."""

from realtime.processes.shares import Here
from realtime.processes.told import NAMES, users_of


def people(*names: str) -> dict[str, Here]:
    return {f"user:{name}": Here(f"user:{name}", name, f"id-{name}") for name in names}


def test_people_are_told_with_their_ids_in_the_order_of_their_names() -> None:
    users = users_of(people("bob", "Carol", "alice"), 7)
    assert (users.count, users.connections, users.names) == (3, 7, ["alice", "bob", "Carol"])
    assert [each.id for each in users.people or []] == ["id-alice", "id-bob", "id-Carol"]


def test_of_a_crowd_a_hundred_are_told() -> None:
    users = users_of(people(*(f"{number:03}" for number in range(NAMES + 9))), 200)
    assert (users.count, len(users.names or []), len(users.people or [])) == (NAMES + 9, NAMES, NAMES)
    assert (users.names or [])[-1] == f"{NAMES - 1:03}"


def test_whom_an_earlier_version_tells_of_has_no_id() -> None:
    users = users_of({"user:1": Here("user:1", "alice")}, 1)
    assert '"people":[{"name":"alice"}]' in users.model_dump_json(exclude_none=True)
