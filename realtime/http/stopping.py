"""What ends event streams when the server stops.

Uvicorn tells its sockets, but not its responses; so the signals are heard here, and then by the server.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol


class Stoppable(Protocol):
    """A response that goes on until it is stopped."""

    def stop(self) -> None:
        """End, soon. May be called in any thread, and by a signal."""


class Stopping:
    """Tells streams that the server was asked to stop: it waits for every response to end."""

    def __init__(self) -> None:
        self._streams: set[Stoppable] = set()
        self._servers: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def add(self, stream: Stoppable) -> None:
        """Tell this stream too."""
        self._streams.add(stream)
        if threading.current_thread() is not threading.main_thread():
            return  # signals come to the main thread alone: this server has another way to stop
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler) and handler != self._tell:
                self._servers[number] = handler
                signal.signal(number, self._tell)

    def discard(self, stream: Stoppable) -> None:
        """Tell it no more; after the last one the signals are the server's again."""
        self._streams.discard(stream)
        if self._streams or threading.current_thread() is not threading.main_thread():
            return
        for number, handler in self._servers.items():
            if signal.getsignal(number) == self._tell:
                signal.signal(number, handler)
        self._servers.clear()

    def _tell(self, number: int, frame: FrameType | None) -> None:
        for stream in list(self._streams):
            stream.stop()
        if server := self._servers.get(number):
            server(number, frame)


stopping = Stopping()
"""The streams that this process serves."""
