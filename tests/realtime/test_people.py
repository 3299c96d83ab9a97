"""Everybody has an id by which others know them, and which tells nothing of them."""

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from chat.models import Message, Room
from realtime import db, people
from realtime.access import Identity
from realtime.models import Person
from realtime.people import give_ids, id_of, ids_of

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "192.0.2.1"


def test_an_id_stays_and_is_of_one_person_alone() -> None:
    first = ids_of({"user:1", "guest:a"})
    assert ids_of({"user:1", "guest:a", "guest:b"}) == {**first, "guest:b": ids_of(["guest:b"])["guest:b"]}
    assert len(set(ids_of({"user:1", "guest:a", "guest:b"}).values())) == 3


def test_an_id_is_random(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ids_of(["user:1"])["user:1"]
    Person.objects.all().delete()
    after = ids_of(["user:1"])["user:1"]
    assert before != after
    assert len(after) == 16


def test_a_changed_secret_key_changes_no_id(settings: pytest.MonkeyPatch) -> None:
    before = ids_of(["user:1"])
    settings.SECRET_KEY = "another" * 10  # type: ignore[attr-defined]
    assert ids_of(["user:1"]) == before


def test_who_is_known_costs_one_query() -> None:
    ids_of(["user:1", "user:2"])
    with CaptureQueriesContext(connection) as queries:
        ids_of(["user:1", "user:2"])
    assert len(queries) == 1


async def test_one_person_is_looked_up_as_many_are() -> None:
    assert await id_of("guest:a", HERE) == await id_of("guest:a", HERE)
    assert await id_of("user:1", HERE) == (await db.run(ids_of, ["user:1"]))["user:1"]


async def test_of_a_network_s_guests_a_crowd_is_stored_and_users_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "NEWCOMERS_AT_ONCE", 3)
    for number in range(5):
        assert await id_of(f"guest:{number}", HERE)
    await id_of("guest:elsewhere", "192.0.2.2")
    await id_of("user:1", HERE)
    stored = await db.run(lambda: set(Person.objects.values_list("key", flat=True)))
    assert stored == {"guest:0", "guest:1", "guest:2", "guest:elsewhere", "user:1"}


async def test_where_nothing_can_be_stored_everybody_may_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(Person.objects, "bulk_create", full)
    assert len(await id_of("user:1", HERE)) == 16


async def test_that_somebody_was_asked_for_is_noted_once_a_day() -> None:
    await id_of("user:1", HERE)
    await db.run(Person.objects.update, seen_at="2026-01-01T00:00:00Z")
    await id_of("user:1", HERE)
    assert (await db.run(Person.objects.get)).seen_at.year > 2025
    seen = (await db.run(Person.objects.get)).seen_at
    await id_of("user:1", HERE)
    assert (await db.run(Person.objects.get)).seen_at == seen


def test_what_is_stored_says_who_said_it(lobby: Room, alice: User) -> None:
    message = lobby.post(Identity.of_user(alice), "Hi")
    assert message.sender_id == ids_of([f"user:{alice.pk}"])[f"user:{alice.pk}"]


def test_old_entries_get_the_ids_of_their_senders(lobby: Room, alice: User, bob: User) -> None:
    said = [lobby.post(Identity.of_user(who), str(n)) for n, who in enumerate((alice, bob, alice, alice))]
    ids = [message.sender_id for message in said]
    Message.objects.update(sender_id="")
    Person.objects.filter(key=f"user:{bob.pk}").delete()
    give_ids(apps, "default", "chat", "message", batch=2)
    found = list(Message.objects.order_by("seq").values_list("sender_id", flat=True))
    assert [found[0], found[2], found[3]] == [ids[0], ids[2], ids[3]]
    assert found[1] == ids_of([f"user:{bob.pk}"])[f"user:{bob.pk}"]


def test_old_entries_are_gone_through_in_steps(lobby: Room, alice: User) -> None:
    for number in range(5):
        lobby.post(Identity.of_user(alice), str(number))
    Message.objects.update(sender_id="")
    with CaptureQueriesContext(connection) as queries:
        give_ids(apps, "default", "chat", "message", batch=2)
    updates = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    assert len(updates) == 3
