"""Open sockets are told of who is muted or banned, or no longer is."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from chat.models import Room, Sanction
from realtime.access import Identity
from tests.realtime.told import LAYERS, reviews

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _heard(settings: Settings, lobby: Room, alice: User) -> None:
    settings.CHANNEL_LAYERS = LAYERS
    reviews()


def test_a_sanction_that_is_made_changed_or_lifted(lobby: Room, alice: User) -> None:
    told: list[Any] = [([], [lobby.key], False)]
    sanction = lobby.sanction(Sanction.Kind.MUTE, Identity.of_user(alice), None)
    assert reviews() == told
    sanction.kind = Sanction.Kind.BAN
    sanction.save()
    assert reviews() == told
    Sanction.objects.all().delete()
    assert reviews() == told
