"""One connection of HTTP, as far as time goes: how long each thing that it waits for may take, and how it ends then.

    new ──► head ──► body ──► answer ──► idle ──► head …
      └───────┴────────┴────► leaving: it was refused

A head has CHORUS_HEAD_TIMEOUT from the connection's first moment; a body, and the reading of an answer, have a least
rate, CHORUS_LEAST_RATE, at which is looked as often.
"""

from collections import deque
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from realtime.conf import conf
from realtime.server.handshake import Refusal
from realtime.server.progress import Progress
from realtime.server.unfinished import unfinished
from realtime.server.wheel import NEVER, wheel

LOOK_SECONDS = 10.0
"""How often the progress of a body and of an answer is looked at, where CHORUS_HEAD_TIMEOUT is switched off."""
LINGERING_SECONDS, LINGERING_BYTES = 2.0, 1024 * 1024
"""How much is read on from who was refused: to hang up on what they still send would take the answer from them."""

NEW, HEAD, BODY, ANSWER, IDLE, LEAVING = range(6)
"""What a connection waits for: its first byte, a request's head, its body, the answer, another request, its end."""


class TimedHttp(HttpToolsProtocol):
    """Uvicorn's protocol with the times that its clients have."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tick = NEVER
        self.waits_for = NEW
        self.received = 0
        """Bytes of this head, or of this body since it was last looked at."""
        self.unanswered: deque[Any] = deque()
        """The cycles of requests whose heads were read and whose answers are not complete, in order."""
        self._progress = Progress()

    def connection_made(self, transport: Any) -> None:
        """A client has connected, and has CHORUS_HEAD_TIMEOUT to say what it wants."""
        super().connection_made(transport)
        self.begin(NEW)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.forget()
        self._leave_unanswered()
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """The client has read enough for more."""
        self._progress.made()
        super().resume_writing()

    def begin(self, waits_for: int) -> None:
        """Wait for a request; where too many do, the oldest is given up."""
        unfinished.here().add(self, self._address)
        self.wait_for(waits_for)

    def has_left(self, seconds: float | None) -> None:
        """Part of the time for the first head has passed already."""
        if seconds is not None:
            wheel.here().put(self, seconds)

    def wait_for(self, what: int, seconds: float | None = None) -> None:
        """Wait for something, and look in so many seconds, or when that is due, whether it has come."""
        self.waits_for, self.received = what, 0
        wheel.here().put(self, _until_a_look() if seconds is None else seconds)

    def forget(self) -> None:
        """Wait for nothing any more."""
        unfinished.here().discard(self)
        wheel.here().drop(self)

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def timeout_keep_alive_handler(self) -> None:
        """Nothing: the wheel ends a connection that is idle, whatever it sends that is no request."""

    def on_time(self) -> None:
        """Look whether what is waited for comes."""
        wheel.here().put(self, _until_a_look())
        least = conf.least_rate * _until_a_look()
        if self._progress.has_stalled(self.transport, least):
            self.transport.abort()
        elif self.waits_for in {IDLE, LEAVING}:
            if not self.unanswered:  # what is written is still sent
                self.transport.close()
        elif self._is_late(least):
            unfinished.here().expire(self, self._address)
        else:
            self.received = 0

    def _is_late(self, least: float) -> bool:
        if self.waits_for == BODY:
            return self.received < least and not self.flow.read_paused
        return self.waits_for in {NEW, HEAD} and bool(conf.head_timeout)

    def give_up(self) -> None:
        """End a connection whose request does not come: with a word where one was begun."""
        if self.waits_for == NEW:
            self.transport.close()
        else:
            self.refuse(Refusal(HTTPStatus.REQUEST_TIMEOUT, "The request took too long."))

    def refuse(self, refusal: Refusal) -> None:
        """Take no more requests: answer those that came before, else with a refusal, if no answer was begun."""
        unfinished.here().discard(self)
        if self.unanswered and self.waits_for != BODY:
            self.cycle.keep_alive = False
            self.wait_for(LEAVING)
        elif self.waits_for == BODY and (len(self.unanswered) != 1 or self.cycle.response_started):
            self.transport.close()
        else:
            self._say(refusal.response(self.server_state.default_headers))

    def _say(self, answer: bytes) -> None:
        self._leave_unanswered()
        self.transport.write(answer)
        if not self.transport.can_write_eof() or self.transport.is_closing():  # as with TLS
            self.transport.close()
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self.wait_for(LEAVING, LINGERING_SECONDS)

    def linger(self, more: int) -> None:
        """So many more bytes have come of who was refused; nobody reads them."""
        self.received += more
        if self.received > LINGERING_BYTES and not self.unanswered:
            self.transport.close()

    def _leave_unanswered(self) -> None:
        """Nobody is there for their answers any more. Uvicorn tells the newest only."""
        while self.unanswered:
            cycle = self.unanswered.popleft()
            cycle.disconnected = True
            cycle.message_event.set()


def _until_a_look() -> float:
    return conf.head_timeout or LOOK_SECONDS
