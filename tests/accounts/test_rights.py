"""Whose tokens staff may touch."""

import pytest
from django.contrib.auth.models import Group, Permission, User

from accounts.rights import has_rights_of
from chat.models import Room


def test_a_superuser_has_everybody_s_rights_and_nobody_else_has_theirs(root: User, alice: User) -> None:
    assert has_rights_of(root, alice)
    assert not has_rights_of(alice, root)


def test_everybody_has_their_own(alice: User, lobby: Room) -> None:
    lobby.readers.add(alice)
    assert has_rights_of(alice, alice)


@pytest.mark.parametrize("by_group", [False, True])
def test_a_permission_that_one_lacks_is_a_right_that_one_lacks(alice: User, bob: User, by_group: bool) -> None:
    assert has_rights_of(alice, bob)
    permission = Permission.objects.get(codename="moderate_room")
    if by_group:
        group = Group.objects.create(name="moderators")
        group.permissions.add(permission)
        bob.groups.add(group)
    else:
        bob.user_permissions.add(permission)
    alice, bob = User.objects.get(pk=alice.pk), User.objects.get(pk=bob.pk)
    assert not has_rights_of(alice, bob)
    assert has_rights_of(bob, alice)


def test_a_deactivated_owner_counts_as_what_they_will_be_again(alice: User, bob: User) -> None:
    bob.user_permissions.add(Permission.objects.get(codename="moderate_room"))
    bob.is_active = False
    bob.save()
    assert not has_rights_of(alice, User.objects.get(pk=bob.pk))


@pytest.mark.parametrize(
    ("theirs", "mine", "enough"),
    [
        ("readers", None, False),
        ("writers", "readers", False),
        ("readers", "writers", True),
        ("writers", "writers", True),
    ],
)
def test_so_is_a_stream_that_names_the_owner(
    alice: User, bob: User, lobby: Room, theirs: str, mine: str | None, enough: bool
) -> None:
    getattr(lobby, theirs).add(bob)
    if mine:
        getattr(lobby, mine).add(alice)
    assert has_rights_of(alice, bob) is enough
