"""Which kinds of streams there are, and which one a key names."""

import pytest

from chat.models import Room
from counter.models import Counter
from notifications.models import Topic
from realtime.streams.kinds import all_streams, kind_and_pk, kinds, pks_by_kind


def test_there_are_the_streams_of_all_apps() -> None:
    assert set(kinds()) >= {Room, Topic, Counter}


@pytest.mark.django_db
def test_all_streams_are_those_of_all_kinds() -> None:
    made = [Room.objects.create(name="a"), Room.objects.create(name="b"), Topic.objects.create(name="a")]
    assert {stream.key for stream in all_streams()} == {stream.key for stream in made}


def test_a_key_names_a_kind_and_a_row() -> None:
    assert kind_and_pk("chat.room:5") == (Room, 5)


@pytest.mark.parametrize("key", ["", "chat.room", "chat.room:five", "chat.nothing:5", "nowhere.room:5"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises((LookupError, ValueError)):
        kind_and_pk(key)


def test_keys_are_sorted_by_kind_so_that_each_is_asked_once() -> None:
    found = pks_by_kind(["chat.room:5", "counter.counter:1", "chat.room:6"])
    assert found == {Room: {5, 6}, Counter: {1}}
