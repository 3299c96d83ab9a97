"""Who keeps order where, and among whom."""

import pytest
from django.contrib.auth.models import User

from chat.models import Room
from realtime.streams.moderation import keys_moderated_by, kinds_moderated_by, spared

pytestmark = pytest.mark.django_db


def test_a_moderator_keeps_order_in_rooms_that_they_may_read(mod: User, lobby: Room, vault: Room) -> None:
    assert kinds_moderated_by(mod) == [Room]
    assert keys_moderated_by(mod) == {lobby.key}
    vault.readers.add(mod)
    assert keys_moderated_by(mod) == {lobby.key, vault.key}


def test_others_keep_order_nowhere(alice: User, lobby: Room) -> None:
    assert kinds_moderated_by(alice) == []
    assert keys_moderated_by(alice) == frozenset()


def test_staff_and_superusers_are_spared_and_oneself(mod: User, alice: User, bob: User, root: User) -> None:
    bob.is_staff = True
    assert spared(mod, None) is None
    assert spared(mod, alice) is None
    for by, whom, said in ((mod, bob, "only superusers"), (mod, root, "Superusers may"), (mod, mod, "This is you")):
        assert said in str(spared(by, whom))


def test_a_superuser_moderates_staff(root: User, bob: User) -> None:
    bob.is_staff = True
    assert spared(root, bob) is None
