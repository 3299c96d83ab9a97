"""System checks of this site's environment."""

import os
from difflib import get_close_matches
from typing import Any

from django.core import checks

import accounts.conf
import chat.conf
import notifications.conf
import realtime.conf
from realtime.conf import variable

CONFS = (realtime.conf.Conf, accounts.conf.Conf, chat.conf.Conf, notifications.conf.Conf)
"""Every app's settings."""
KNOWN = {variable(field) for conf in CONFS for field in conf.model_fields} | {"CHORUS_DEV_LAN", "CHORUS_REQUIRE_ALL"}


@checks.register
def unknown_variables(**_: Any) -> list[checks.CheckMessage]:
    """A misspelt CHORUS_… variable would otherwise be a setting that silently keeps its default."""
    unknown = sorted(name for name in os.environ if name.startswith("CHORUS_") and name not in KNOWN)
    return [
        checks.Warning(
            f"{name} is in the environment, but there is no such setting.", hint=_hint(name), id="chorus.W001"
        )
        for name in unknown
    ]


def _hint(name: str) -> str | None:
    close = get_close_matches(name, KNOWN, n=1)
    return f"Did you mean {close[0]}?" if close else None
