"""Open sockets are told of every change of a stream's access; and not of what is said there."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from pytest_django import Settings

from chat.models import Room
from counter.models import Counter
from notifications.models import Topic
from realtime.access import Identity
from realtime.streams.grants import GRANT_FIELDS
from tests.realtime.told import LAYERS, reviews

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[Room, Counter, Topic])
def stream(request: pytest.FixtureRequest, settings: Settings) -> Any:
    """One of each kind, heard from here on."""
    settings.CHANNEL_LAYERS = LAYERS
    made = request.param.objects.create(name="some")
    reviews()
    return made


def of(stream: Any) -> list[tuple[list[str], list[str], bool]]:
    """One review, of this stream's sockets."""
    return [([], [stream.key], False)]


def test_its_levels(stream: Any) -> None:
    stream.guest_access = "none"
    stream.save()
    assert reviews() == of(stream)


@pytest.mark.parametrize("field", GRANT_FIELDS)
def test_its_people_and_groups(stream: Any, alice: User, field: str) -> None:
    who = Group.objects.create(name="team") if field.endswith("groups") else alice
    reviews()
    getattr(stream, field).add(who)
    getattr(stream, field).clear()
    assert reviews() == of(stream) * 2


def test_a_new_one_has_no_sockets(stream: Any) -> None:
    type(stream).objects.create(name="another")
    assert not reviews()


def test_what_is_said_is_no_change(lobby: Room, settings: Settings) -> None:
    settings.CHANNEL_LAYERS = LAYERS
    reviews()
    lobby.post(Identity.of_guest(), "hi")
    assert not reviews()
