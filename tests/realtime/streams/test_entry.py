"""What every entry has from its base: what makes it unique, and that its stream knows it."""

from typing import Literal

import pytest
from django.db import IntegrityError, transaction

from chat.models import Message, Room
from counter.models import Change
from realtime.access import Identity
from realtime.protocol import Command
from realtime.streams.entry import Entry, entry_model_of
from realtime.streams.kinds import kinds

ALICE = Identity("user:1", "alice")


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_kind_of_stream_knows_its_entries(kind: type[Room]) -> None:
    assert issubclass(kind.entry_model, Entry)
    assert kind.entry_model._meta.get_field("stream").related_model is kind
    assert entry_model_of(kind) is kind.entry_model


@pytest.mark.parametrize("model", [Message, Change])
def test_positions_and_ids_are_unique_in_a_stream(model: type[Entry]) -> None:
    assert [each.fields for each in model._meta.constraints] == [  # type: ignore[attr-defined]
        ("stream", "seq"),
        ("stream", "sender_key", "client_id"),
    ]


def test_a_position_is_taken_once(lobby: Room) -> None:
    message = lobby.post(ALICE, "Hi")
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.create(stream=lobby, seq=message.seq, created_at=message.created_at)


def test_a_command_whose_fields_are_called_as_the_entry_s_makes_one(lobby: Room) -> None:
    class Say(Command):
        action: Literal["say"] = "say"
        text: str

    stored = lobby.append(Message.from_command(ALICE, Say(text="Hi", id="1")))
    assert (stored.text, stored.client_id, stored.sender_name, stored.seq) == ("Hi", "1", "alice", 1)
