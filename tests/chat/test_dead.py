"""Mutes and bans go long after their end."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from chat.models import Room, Sanction
from realtime.access import Identity

pytestmark = pytest.mark.django_db


def test_what_ended_long_ago_goes_and_what_holds_stays(lobby: Room) -> None:
    for name, days in (("long ago", 91), ("lately", 89), ("still", -1), ("for good", None)):
        sanction = lobby.sanction(Sanction.Kind.MUTE, Identity(f"user:{name}", name), None)
        until = None if days is None else timezone.now() - timedelta(days=days)
        Sanction.objects.filter(pk=sanction.pk).update(until=until)
    call_command("prune")
    assert set(Sanction.objects.values_list("name", flat=True)) == {"lately", "still", "for good"}
