"""Logins of open sockets, looked at again: a few queries for hundreds of them."""

from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.db.models import prefetch_related_objects
from django.db.models.functions import Now
from django.utils.crypto import constant_time_compare

from accounts.models import Token
from realtime.access import Identity, Login


def verify(logins: Collection[Login]) -> Mapping[Login, Identity | str]:
    """The identity that each login gives now, with its user's groups, or in words why it gives none."""
    users = _users({login.user for login in logins})
    owned = Token.objects.usable().timed().filter(pk__in={login.token for login in logins if login.token is not None})
    tokens = {token.pk: token for token in owned}
    sessions = _sessions({login.session for login in logins if login.session is not None})
    found: dict[Login, Identity | str] = {}
    for login in logins:
        user = users.get(login.user)
        if user is None:
            found[login] = "user deactivated"
        elif login.token is not None:
            token = tokens.get(login.token)
            found[login] = "token revoked or expired" if token is None else Identity.of_user(user, token)
        elif login.session is not None and not _is_of(user, sessions.get(login.session)):
            found[login] = "logged out"
        else:
            found[login] = Identity.of_user(user, session=login.session)
    return found


def is_of_password(user: AbstractBaseUser, session_hash: str) -> bool:
    """Whether a session is of the user's present password, under any of the site's secret keys."""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session_hash, good) for good in hashes)


def _users(pks: Collection[Any]) -> dict[Any, Any]:
    found = list(get_user_model()._default_manager.filter(pk__in=pks, is_active=True))
    prefetch_related_objects(found, "groups")
    return {user.pk: user for user in found}


def _sessions(keys: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """What the sessions hold that have not ended; those in the database in one query."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not issubclass(store, DatabaseSessions):
        return {key: store(key).load() for key in keys}
    rows = store.get_model_class().objects.filter(session_key__in=keys, expire_date__gt=Now())
    return {row.session_key: row.get_decoded() for row in rows}


def _is_of(user: Any, session: Mapping[str, Any] | None) -> bool:
    if not session or session.get(SESSION_KEY) != user._meta.pk.value_to_string(user):
        return False
    return is_of_password(user, session.get(HASH_SESSION_KEY, ""))
