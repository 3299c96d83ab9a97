"""Every CHORUS_* setting with its default: from Django's settings, else from the environment.

`from realtime.conf import conf`, then `conf.max_text`. A number of 0 switches that limit off.
"""

import os
from typing import Annotated, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Conf(BaseModel):
    """The values in force. Each is the setting `CHORUS_` + the name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] = "chorus"
    """Prefix of all that this site keeps in Redis, whose pub/sub ignores database numbers."""
    max_frame_bytes: Count = 1024 * 1024
    """Bytes of one message from a client; a larger one closes the socket with 1009."""
    max_text: Count = 10_000
    """Characters of an echoed text, chat message or notification."""
    outbox_bytes: Count = 1024 * 1024
    """Bytes that may wait for one socket; a slower reader is closed with 4000."""
    ping_interval: Seconds = 20
    """Seconds between keep-alive pings."""
    ping_timeout: Seconds = 10
    """Seconds a pong may take before the socket is closed with 1011."""
    login_timeout: Seconds = 5
    """Seconds a socket that needs a login may wait before it sends one."""
    command_rate: Seconds = 20
    """Commands per second of one socket, averaged."""
    command_burst: Count = 60
    """Commands one socket may send at once."""
    max_topics: Count = 128
    """Topics one socket may subscribe to."""
    connections_per_user: Count = 20
    """Sockets one user may have open in one process; past it 1013."""
    connections_per_address: Count = 100
    """Sockets of guests one address may have open in one process; past it 1013."""
    connections_per_process: Count = 10_000
    """Sockets one process serves; past it the handshake is refused with 503."""
    heartbeat_interval: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 30
    """Seconds between heartbeats on the topic `system`."""
    prune_interval: Seconds = 3600
    """Seconds between prunings by the server itself; 0: only `manage.py prune` does it."""
    review_interval: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60
    """Seconds within which every open socket's login and rights are looked at again, asked for or not."""
    db_threads: Annotated[int, Field(ge=1, le=64)] = 4
    """Threads, each with a database connection, for what sockets read."""


def _load() -> Conf:
    values: dict[str, Any] = {}
    for field in Conf.model_fields:
        name = f"CHORUS_{field.upper()}"
        if hasattr(settings, name):
            values[field] = getattr(settings, name)
        elif value := os.environ.get(name, "").strip():  # set to nothing counts as not set
            values[field] = value
    try:
        return Conf(**values)
    except ValidationError as error:
        problem = error.errors()[0]
        name = f"CHORUS_{str(problem['loc'][0]).upper()}"
        raise ImproperlyConfigured(f"{name}: {problem['msg']}, got {problem['input']!r}.") from error


class _Lazy:
    """The settings in force, read on first use and again when a test overrides one."""

    def __getattr__(self, name: str) -> Any:
        """Read them all: what is asked for with every message is an attribute from then on."""
        if name not in Conf.model_fields:
            raise AttributeError(name)
        vars(self).update(_load())
        return vars(self)[name]

    def forget(self, *, setting: str, **_: object) -> None:
        if setting.startswith("CHORUS_"):
            vars(self).clear()


_lazy = _Lazy()
setting_changed.connect(_lazy.forget)
conf: Conf = _lazy  # type: ignore[assignment]  # typed as what it stands for


def check() -> None:
    """Read all settings; raises ImproperlyConfigured that names the wrong variable."""
    _ = conf.namespace
