"""The settings that chat alone has; realtime/conf.py says where they come from."""

from typing import Literal

from realtime.conf import Settings, lazily


class Conf(Settings):
    """What the plain routes go by."""

    plain_routes: Literal["open", "members", "off"] = "open"
    """Who may use the two plain routes that reach others, broadcast and relay: everyone, who is logged in, nobody."""


conf = lazily(Conf)
