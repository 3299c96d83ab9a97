"""The settings that accounts alone have; realtime/conf.py says where they come from."""

from realtime.conf import Count, Settings, lazily


class Conf(Settings):
    """What tokens go by."""

    tokens_per_user: Count = 100
    """Tokens that one person may have at once, without those that are revoked or expired."""


conf = lazily(Conf)
