"""A stream that another transaction holds, as a slow view or another process would."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.db import connection, transaction

from realtime.streams.stream import Stream


@asynccontextmanager
async def held(stream: Stream) -> AsyncIterator[threading.Event]:
    """Hold the stream's row (on SQLite the whole database) until the event is set, or the block ends."""
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                type(stream)._default_manager.select_for_update(no_key=True).get(pk=stream.pk)
                locked.set()
                release.wait(20)
        finally:
            connection.close()

    holding = asyncio.create_task(asyncio.to_thread(hold))
    await asyncio.to_thread(locked.wait, 5)
    try:
        yield release
    finally:
        release.set()
        await holding
