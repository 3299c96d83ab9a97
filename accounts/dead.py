"""What nobody can use any more, and goes with pruning: sessions that have ended, and tokens long after their end."""

from importlib import import_module

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Token
from realtime.streams.retention import DEAD, delete_some


def sessions() -> bool:
    """Delete some sessions that have ended; True if there may be more. Other stores than the database see to theirs."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not issubclass(store, DatabaseSessions):
        return False
    return delete_some(store.get_model_class().objects.filter(expire_date__lt=Now()))


def tokens() -> bool:
    """Delete some tokens that were revoked or expired long ago; until then their owner sees what was there."""
    long_ago = Now() - DEAD
    return delete_some(Token.objects.filter(Q(revoked_at__lt=long_ago) | Q(expires_at__lt=long_ago)))
