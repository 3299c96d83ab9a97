"""What holds no more, and goes with pruning: mutes and bans, long after their end."""

from django.db.models.functions import Now

from chat.models import Sanction
from realtime.streams.retention import DEAD, delete_some


def sanctions() -> bool:
    """Delete some that ended long ago; until then moderators see what was there. True if there may be more."""
    return delete_some(Sanction.objects.filter(until__lt=Now() - DEAD))
