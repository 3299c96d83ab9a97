"""The CHORUS_* settings with their defaults: from Django's settings, else from the environment.

`from realtime.conf import conf`, then `conf.max_text`. A number of 0 switches that limit off.

An app that has settings of its own has a `conf.py` too: a class derived from Settings, `conf = lazily(Conf)`,
and `check(Conf)` in the `ready` of its AppConfig.
"""

import os
from typing import Annotated, Any, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from realtime.texts import LONGEST_TEXT

Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Interval = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""Seconds, never 0."""


class Settings(BaseModel):
    """Values in force. Each is the setting that `variable` gives for the field's name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=Settings)


class Conf(Settings):
    """What the sockets of all apps go by."""

    namespace: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] = "chorus"
    """Prefix of all that this site keeps in Redis, whose pub/sub ignores database numbers."""
    max_frame_bytes: Count = 1024 * 1024
    """Bytes of one message from a client; a larger one closes the socket with 1009."""
    max_text: Annotated[int, Field(ge=0, le=LONGEST_TEXT)] = 10_000
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
    """Commands and requests per second of one person, averaged, on all sockets together; 0: nothing is counted."""
    command_burst: Count = 60
    """Commands and requests one person may send at once."""
    command_bytes: Count = 8192
    """Bytes that count as one command: a longer frame or body counts as several."""
    connect_rate: Seconds = 50
    """Handshakes per second from one network (see realtime.addresses) that log nobody in; past it 429."""
    connect_burst: Count = 1000
    """Handshakes from one network at once: an office of 500 people comes back after a restart, with two pages each."""
    connections_per_user: Count = 20
    """Sockets one user may have open in one process; past it 1013."""
    connections_per_address: Count = 100
    """Sockets of guests one address (of IPv6: one /64 network) may have open in one process; past it 1013."""
    connections_per_process: Count = 10_000
    """Sockets one process serves; past it the handshake is refused with 503."""
    head_timeout: Seconds = 10
    """Seconds from a connection's first moment to the end of its request's head; past it it is closed."""
    least_rate: Count = 500
    """Bytes per second that a request's body has to bring, and a client to read of its answer."""
    unfinished_per_address: Count = 100
    """Requests of one network that may be unfinished at once; past it the oldest is closed."""
    prune_interval: Seconds = 3600
    """Seconds between prunings by the server itself; 0: only `manage.py prune` does it."""
    review_interval: Interval = 60
    """Seconds within which every open socket's login and rights are looked at again, asked for or not."""
    db_threads: Annotated[int, Field(ge=1, le=64)] = 4
    """Threads, each with a database connection, for logins, rights and joins."""
    history_threads: Annotated[int, Field(ge=1, le=64)] = 2
    """The same for pages of history, lists and pruning."""


def variable(field: str) -> str:
    """What a field is called in Django's settings and in the environment."""
    return f"CHORUS_{field.upper()}"


def _load(model: type[S]) -> S:
    values: dict[str, Any] = {}
    for field in model.model_fields:
        name = variable(field)
        if hasattr(settings, name):
            values[field] = getattr(settings, name)
        elif value := os.environ.get(name, "").strip():  # set to nothing counts as not set
            values[field] = value
    try:
        return model(**values)
    except ValidationError as error:
        problem = error.errors()[0]
        name = variable(str(problem["loc"][0]))
        raise ImproperlyConfigured(f"{name}: {problem['msg']}, got {problem['input']!r}.") from error


class _Lazy:
    """The settings in force, read on first use and again when a test overrides one."""

    def __init__(self, model: type[Settings]) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        """Read them all: what is asked for with every message is an attribute from then on."""
        if name not in self._model.model_fields:
            raise AttributeError(name)
        vars(self).update(_load(self._model))
        return vars(self)[name]

    def forget(self, *, setting: str, **_: object) -> None:
        if setting.startswith("CHORUS_"):
            for field in self._model.model_fields:
                vars(self).pop(field, None)


def lazily(model: type[S]) -> S:
    """The values of these settings, read on first use; for as long as the process runs, unless a test overrides one."""
    lazy = _Lazy(model)
    setting_changed.connect(lazy.forget, weak=False)
    return lazy  # type: ignore[return-value]  # typed as what it stands for


def check(model: type[Settings]) -> None:
    """Read these settings; raises ImproperlyConfigured that names the wrong variable."""
    _load(model)


conf = lazily(Conf)
