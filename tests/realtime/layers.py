"""Channel layers for tests: the boundary at which this process ends."""

import asyncio
from typing import Any, ClassVar

Item = dict[str, Any]


class RecordingLayer:
    """Keeps what it is told in `told`, which a test empties first."""

    told: ClassVar[list[tuple[str, Item]]] = []

    def __init__(self, **_: object) -> None: ...

    async def new_channel(self, prefix: str = "specific.") -> str:
        return prefix

    async def receive(self, channel: str) -> Item:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def group_add(self, group: str, channel: str) -> None: ...

    async def group_discard(self, group: str, channel: str) -> None: ...

    async def group_send(self, group: str, message: Item) -> None:
        self.told.append((group, message))

    @classmethod
    def batches(cls) -> list[tuple[int, int]]:
        """First and last position of each batch that it was told of."""
        items = [item for _, message in cls.told for item in message["items"]]
        return [(item["first"], item["last"]) for item in items if item["t"] == "batch"]


class BrokenLayer(RecordingLayer):
    """Cannot be told anything."""

    error: type[BaseException] = OSError

    async def group_send(self, group: str, message: Item) -> None:
        raise self.error("Redis is gone")


class OddlyBrokenLayer(BrokenLayer):
    """Raises what nobody expects of a layer."""

    error = ZeroDivisionError


class SilentLayer(RecordingLayer):
    """Takes for ever."""

    async def group_send(self, group: str, message: Item) -> None:
        await self.receive("")
