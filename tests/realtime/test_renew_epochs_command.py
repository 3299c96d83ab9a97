"""`manage.py renew_epochs`: after a backup was restored, nobody goes on as if nothing had happened."""

from functools import partial

import pytest
from django.core.management import call_command

from chat.models import Message, Room
from counter.models import Counter
from notifications.models import Topic
from realtime import db
from realtime.access import Identity
from realtime.testing import connect

pytestmark = pytest.mark.django_db
ALICE = Identity("user:1", "alice")
LOBBY = "/ws/chat/lobby/"


def test_every_stream_gets_a_new_epoch_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    models = (Room, Topic, Counter)
    before = {model.objects.create(name=name).epoch for model in models for name in ("one", "two")}
    call_command("renew_epochs")
    after = {stream.epoch for model in models for stream in model.objects.all()}
    assert len(before | after) == 12
    assert capsys.readouterr().out == "Renewed the epochs of 6 streams.\n"


def test_positions_and_entries_stay(lobby: Room) -> None:
    lobby.post(ALICE, "Hi")
    call_command("renew_epochs")
    room = Room.objects.get()
    assert (room.first_seq, room.last_seq, [stored.seq for stored in room.history()[0]]) == (1, 1, [1])


@pytest.mark.django_db(transaction=True)
async def test_open_sockets_are_told(lobby: Room) -> None:
    await db.run(lobby.post, ALICE, "Hi")
    async with connect(LOBBY) as socket:
        first = await socket.next("joined")
        await db.run(call_command, "renew_epochs", verbosity=0)
        again = await socket.next("joined")
    assert again["epoch"] == (await db.run(Room.objects.get)).epoch != first["epoch"]
    assert (again["recovered"], [message["seq"] for message in again["messages"]]) == (False, [1])


@pytest.mark.django_db(transaction=True)
async def test_who_comes_back_to_a_restored_room_is_told_of_it(lobby: Room) -> None:
    """The backup ends where they were, so that nothing but the epoch says that what follows is something else."""
    for text in ("kept", "lost"):
        await db.run(lobby.post, ALICE, text)

    def restore() -> None:
        Message.objects.filter(seq=2).delete()
        Room.objects.update(last_seq=1)

    await db.run(restore)
    await db.run(partial(call_command, "renew_epochs"))
    await db.run(lobby.post, ALICE, "said after the restore")
    async with connect(f"{LOBBY}?since=2&epoch={lobby.epoch}") as socket:
        joined = await socket.next("joined")
    assert joined["recovered"] is False
    assert [message["message"] for message in joined["messages"]] == ["kept", "said after the restore"]
