"""The one door from synchronous code, in any thread of any process, to the sockets of all processes.

In a server its hub takes a notice from here and passes it on. Elsewhere (a shell, a task queue) the channel layer is
told, best effort, for TELL_SECONDS; what gets lost is found by the position checks and the reviews.
Storage announces through this door and knows nothing of what stands behind it.
"""

import asyncio
import logging
from typing import Protocol

from asgiref.sync import async_to_sync

from realtime.per_loop import PerLoop
from realtime.processes.bus import envelope, gather, layer
from realtime.processes.notices import Notice, Question
from realtime.processes.shares import Share, shares_of_others

TELL_SECONDS = 1.0
"""How long the layer has to take a notice."""
LISTENERS_SECONDS = 2.0
"""How long it may take to count who listens."""

logger = logging.getLogger("chorus.reach")


class LocalHub(Protocol):
    """What this door asks of the hub of a process, on its event loop."""

    @property
    def origin(self) -> str:
        """Names the process in what it sends."""

    def tell(self, group: str, notice: Notice) -> None:
        """Do what a notice says to the sockets here, and pass it on to the other processes."""

    def answer(self, question: Question) -> Notice:
        """What this process says to a question."""

    async def listeners(self, group: str) -> int:
        """How many sockets are in a group now, in all processes."""


_hubs: PerLoop[LocalHub] | None = None


def serve_by(hubs: PerLoop[LocalHub]) -> None:
    """Let these hubs do what is asked at this door: called once, by the module that has them."""
    global _hubs
    _hubs = hubs


def _running() -> list[tuple[asyncio.AbstractEventLoop, LocalHub]]:
    return _hubs.running() if _hubs is not None else []


def tell(group: str, notice: Notice) -> None:
    """Let a group in every process know; from any thread, at once, best effort."""
    found = _running()
    for loop, hub in found:
        loop.call_soon_threadsafe(hub.tell, group, notice)
    if not found and layer() is not None:
        async_to_sync(_tell_layer)(group, notice)


async def _tell_layer(group: str, notice: Notice) -> None:
    found = layer()
    assert found is not None
    try:
        await asyncio.wait_for(found.group_send(group, envelope("", group, [notice.to_item()])), TELL_SECONDS)
    except Exception as error:  # noqa: BLE001 - a layer may raise anything, and what is told of has happened
        logger.warning("the channel layer was not told of %s (%s)", group, type(error).__name__)


def ask(group: str, question: Question, seconds: float, *, idle: Notice) -> tuple[list[Notice], bool]:
    """What every process answers within some seconds; `idle` is this one's answer while it serves no socket.

    The second is False where other processes could not be asked. From any thread but a loop's own.
    """
    for loop, hub in _running():
        asking = _ask(hub, group, question, seconds, idle)
        return asyncio.run_coroutine_threadsafe(asking, loop).result(seconds + 5)
    return async_to_sync(_ask)(None, group, question, seconds, idle)


async def _ask(
    here: LocalHub | None, group: str, question: Question, seconds: float, idle: Notice
) -> tuple[list[Notice], bool]:
    own = [idle if here is None else here.answer(question)]
    try:
        async with asyncio.timeout(seconds + 1):
            others = await gather(group, question, seconds, origin=here.origin if here else "")
    except Exception as error:  # noqa: BLE001 - a layer may raise anything; what this process knows is an answer too
        logger.warning("other processes could not be asked (%s)", type(error).__name__)
        return own, False
    return own + others, True


def listeners(group: str) -> int | None:
    """How many sockets are in a group now, in all processes; None: nobody can tell. Not from a loop's own thread."""
    try:
        return _count(group)
    except Exception as error:  # noqa: BLE001 - as above
        logger.warning("who listens to %s is not known (%s)", group, type(error).__name__)
        return None


def _count(group: str) -> int:
    for loop, hub in _running():
        return asyncio.run_coroutine_threadsafe(hub.listeners(group), loop).result(LISTENERS_SECONDS)
    others = async_to_sync(_shares_in_time)(group)  # a process that has had no socket yet
    return sum(share.connections for share in others.values())


async def _shares_in_time(group: str) -> dict[str, Share]:
    async with asyncio.timeout(LISTENERS_SECONDS):
        return await shares_of_others(group)
