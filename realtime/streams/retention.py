"""What is past its time goes: all of it by `manage.py prune`, and once an hour by one process of a server."""

import asyncio
import logging
import math
import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.core.cache import cache
from django.db import models

from realtime import db
from realtime.conf import conf
from realtime.streams.kinds import kinds
from realtime.streams.stream import PRUNED_AT_ONCE, Stream

LOOKS = 10
"""How often in its interval a process looks whether it is the one to prune; so a restart delays it little."""
CLAIM = "chorus.prune"
"""Whoever puts this into the cache is the one to prune until it expires; with Redis, of all processes."""

Step = Callable[[], bool]
steps: list[Step] = []
"""What else goes, of apps that have more than streams."""
DEAD = timedelta(days=90)
"""How long what has ended stays to be seen, unless an app says otherwise."""

logger = logging.getLogger("chorus.retention")


def also(step: Step) -> Step:
    """Call a function with each pruning, again while it returns True: it takes away a part of what is dead.

    An app registers its own when it is ready; twice is once.
    """
    if step not in steps:
        steps.append(step)
    return step


def delete_some(rows: "models.QuerySet[Any]") -> bool:
    """Delete the first of these rows; True if there are more. For what `also` calls."""
    pks = list(rows.order_by("pk").values_list("pk", flat=True)[:PRUNED_AT_ONCE])
    rows.model._default_manager.filter(pk__in=pks).delete()
    return len(pks) == PRUNED_AT_ONCE


def prune_dead() -> None:
    """Take away all that is dead beside the streams."""
    for step in steps:
        while step():
            pass


def prune(stream: Stream) -> None:
    """Take away all of a stream that is past its time or number, in steps that each are short."""
    while stream.prune_step():
        pass


async def prune_now_and_then() -> None:
    """Prune once in `conf.prune_interval` seconds, if no other process has; for ever."""
    while conf.prune_interval:
        await asyncio.sleep(conf.prune_interval / LOOKS * random.uniform(0.5, 1.5))
        claim = partial(cache.add, CLAIM, 1, timeout=math.ceil(conf.prune_interval))  # Redis counts whole seconds
        if await asyncio.to_thread(claim):
            try:
                await _prune_all()
            except Exception:
                await asyncio.to_thread(cache.delete, CLAIM)  # whoever looks next tries again
                raise


async def _prune_all() -> None:
    """Prune in the threads of what may be long, step by step between pages of history."""
    for model in kinds():
        for pk in await db.run_apart(_keys, model):
            while await db.run_apart(_step, model, pk):
                pass
    for step in steps:
        while await db.run_apart(step):
            pass
    logger.info("pruned")


def _keys(model: type[Stream]) -> list[int]:
    return list(model._default_manager.order_by("pk").values_list("pk", flat=True))


def _step(model: type[Stream], pk: int) -> bool:
    stream = model._default_manager.filter(pk=pk).first()
    return stream is not None and stream.prune_step()
