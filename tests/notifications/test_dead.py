"""Positions of an epoch that is over go with pruning."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from notifications.models import Cursor, Topic
from realtime.access import Identity

pytestmark = pytest.mark.django_db


def test_a_position_goes_with_its_epoch(alerts: Topic, alice: User, bob: User) -> None:
    alerts.publish(Identity.of_user(alice), "Disk full")
    for user in (alice, bob):
        Cursor.acknowledge(user, Topic.objects.get(), 1)
    Cursor.objects.filter(user=bob).update(epoch="over")
    call_command("prune")
    assert Cursor.objects.get().user == alice
