"""Changes of users, groups and tokens that open sockets must learn of, wherever in this project they are made.

Django's own models have no verbs of ours, so their signals are heard.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import m2m_changed, post_delete, post_save

from accounts.models import Token
from realtime.connections import look_again


def watch() -> None:
    """Begin to listen; once per process."""
    user: Any = get_user_model()
    post_save.connect(_user_saved, sender=user)
    post_delete.connect(_user_deleted, sender=user)
    post_save.connect(_token_changed, sender=Token)
    post_delete.connect(_token_changed, sender=Token)
    user_logged_out.connect(_logged_out)
    if hasattr(user, "groups"):
        m2m_changed.connect(_membership_changed, sender=user.groups.through)
        m2m_changed.connect(_permissions_changed, sender=user.user_permissions.through)
    m2m_changed.connect(_group_changed, sender=Group.permissions.through)
    post_delete.connect(_group_changed, sender=Group)


def _user_saved(instance: Any, created: bool, update_fields: Any, **_: Any) -> None:
    if not created and update_fields != {"last_login"}:  # each login writes that
        look_again(users=[instance.pk])


def _user_deleted(instance: Any, **_: Any) -> None:
    look_again(users=[instance.pk])


def _token_changed(instance: Token, created: bool = False, **_: Any) -> None:
    if not created:
        look_again(users=[instance.owner_id])


def _logged_out(user: Any, **_: Any) -> None:
    if user is not None:
        look_again(users=[user.pk])


def _membership_changed(instance: Any, action: str, reverse: bool, pk_set: Any, **_: Any) -> None:
    if action.startswith("post_"):
        # From the group's side, what was cleared is not told: then it may have been anybody.
        users = (pk_set or ()) if reverse else [instance.pk]
        look_again(users=users, everyone=reverse and not pk_set)


def _permissions_changed(instance: Any, action: str, reverse: bool, **_: Any) -> None:
    if action.startswith("post_"):
        look_again(users=() if reverse else [instance.pk], everyone=reverse)


def _group_changed(action: str = "post_", **_: Any) -> None:
    if action.startswith("post_"):
        look_again(everyone=True)
