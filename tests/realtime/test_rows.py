"""Rows that sockets keep, beside what is read of them later."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User

from accounts.models import Token
from realtime.rows import forget_related, says_the_same

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return User.objects.create(username="alice")


@pytest.fixture
def read(alice: User) -> Callable[[], User]:
    """Reads alice from the database."""
    return lambda: User.objects.get(pk=alice.pk)


def test_a_row_that_is_read_again_says_the_same(read: Callable[[], User]) -> None:
    assert says_the_same(read(), read())


def test_a_row_that_was_changed_does_not(read: Callable[[], User]) -> None:
    known = read()
    User.objects.update(is_superuser=True)
    assert not says_the_same(known, read())


def test_what_was_looked_up_for_the_one_read_now_does_not_count(read: Callable[[], User]) -> None:
    [now] = User.objects.prefetch_related("groups")
    assert says_the_same(read(), now)


def test_groups_that_were_looked_up_before_may_have_changed(alice: User, read: Callable[[], User]) -> None:
    [known] = User.objects.prefetch_related("groups")
    alice.groups.add(Group.objects.create(name="staff"))
    assert not says_the_same(known, read())


def test_permissions_that_were_looked_up_before_may_have_changed(read: Callable[[], User]) -> None:
    known = read()
    known.has_perm("chat.view_room")
    assert not says_the_same(known, read())


def test_when_a_token_was_used_is_no_matter(alice: User) -> None:
    token, secret = Token.issue(alice, "program")
    known = Token.authenticate_all([secret])[secret]
    Token.note_use([token.pk])
    assert says_the_same(known, Token.objects.timed().get())


def test_a_token_s_scopes_are(alice: User) -> None:
    _, secret = Token.issue(alice, "program")
    known = Token.authenticate_all([secret])[secret]
    Token.objects.update(scopes=["chat:read"])
    assert not says_the_same(known, Token.objects.timed().get())


def test_nothing_says_what_nothing_says(read: Callable[[], User]) -> None:
    assert says_the_same(None, None)
    assert not says_the_same(read(), None)


def test_what_was_looked_up_is_forgotten_and_asked_for_anew(alice: User) -> None:
    [known] = User.objects.prefetch_related("groups")
    group = Group.objects.create(name="staff")
    alice.groups.add(group)
    forget_related(known)
    assert list(known.groups.all()) == [group]
    forget_related(None)
