"""The settings that notifications alone have; realtime/conf.py says where they come from."""

from realtime.conf import Count, Interval, Settings, lazily


class Conf(Settings):
    """What the notifications socket goes by."""

    max_topics: Count = 128
    """Topics one socket may subscribe to."""
    heartbeat_interval: Interval = 30
    """Seconds between heartbeats on the topic `system`."""


conf = lazily(Conf)
