"""Looks again at who open sockets speak for and what they may: at once when told of a change, and now and then.

What was told and got lost is found within CHORUS_REVIEW_INTERVAL. A few queries serve CHUNK sockets.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from realtime import db
from realtime.access import Identity, Rights, Verify
from realtime.conf import conf
from realtime.connections.open import OpenSocket, OpenSockets
from realtime.rows import forget_related
from realtime.streams.kinds import pks_by_kind

CHUNK = 500
ONCE_MORE_SECONDS = 1.0
"""After it was asked for, a review is made again: who was just coming in, with what was read before the change, is
here by then, and a logout, which is told of before the session ends, has ended it."""
AGAIN_SECONDS = 1.0
"""Until a review that found no database is tried again."""

logger = logging.getLogger("chorus.review")


class Review:
    """Which of a process's open sockets have to be looked at again."""

    def __init__(self, sockets: OpenSockets) -> None:
        self._sockets = sockets
        self._users: set[Any] = set()
        self._streams: set[str] = set()
        self._everyone = False
        self._working: asyncio.Task[None] | None = None
        self._closed = False

    def ask(self, users: Iterable[Any] = (), streams: Iterable[str] = (), *, everyone: bool = False) -> None:
        """Look again, now and once more, at sockets of users (primary keys, as text) and in streams (keys), or at all.

        What is asked for while a review is under way goes into the next one together.
        """
        asked = frozenset(users), frozenset(streams), everyone
        self._begin(*asked)
        asyncio.get_running_loop().call_later(ONCE_MORE_SECONDS, self._begin, *asked)

    def _begin(self, users: Iterable[Any] = (), streams: Iterable[str] = (), everyone: bool = False) -> None:
        self._users.update(users)
        self._streams.update(streams)
        self._everyone = self._everyone or everyone
        if self._working is None and not self._closed:
            self._working = asyncio.create_task(self._work())

    async def now_and_then(self) -> None:
        """Look at all sockets, chunk by chunk, for ever."""
        while True:
            await asyncio.sleep(conf.review_interval * random.uniform(0.8, 1.0))
            self._begin(everyone=True)

    async def _work(self) -> None:
        try:
            while self._everyone or self._users or self._streams:
                asked = self._take()
                for start in range(0, len(asked), CHUNK):
                    try:
                        await self._look(asked[start : start + CHUNK])
                    except Exception:
                        logger.exception("rights of sockets could not be looked at; the next review tries again")
        finally:
            self._working = None

    def _take(self) -> list[OpenSocket]:
        users, streams, everyone = self._users, self._streams, self._everyone
        self._users, self._streams, self._everyone = set(), set(), False
        return [
            socket
            for socket in self._sockets
            if everyone
            or (socket.identity.user is not None and str(socket.identity.user.pk) in users)
            or not streams.isdisjoint(socket.reads())
        ]

    async def _look(self, sockets: Sequence[OpenSocket]) -> None:
        asked = [(socket.identity, socket.verify, socket.reads()) for socket in sockets]
        while True:
            try:
                answers = await db.run(assess, asked)
                break
            except db.Unavailable:
                await asyncio.sleep(AGAIN_SECONDS * random.uniform(0.5, 1.5))
        for socket, (before, _, _), (now, rights) in zip(sockets, asked, answers, strict=True):
            now_is = socket.identity
            same = (now_is.key, now_is.login) == (before.key, before.login)  # else it has logged in anew meanwhile
            if same and socket in self._sockets:
                try:
                    socket.reviewed(now, rights)
                except Exception:
                    logger.exception("a socket could not be told of its rights")

    async def close(self) -> None:
        """Stop what runs in the background."""
        self._closed = True
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)


Subject = tuple[Identity, Verify | None, frozenset[str]]
Finding = tuple[Identity | str, dict[str, Rights | None]]


def assess(asked: Sequence[Subject]) -> list[Finding]:
    """For each identity: who it is now, or why it is nobody any more, and its rights in the streams named."""
    known = _verified(asked)
    streams = _streams(key for _, _, keys in asked for key in keys)
    answers: list[Finding] = []
    for identity, verify, keys in asked:
        now = identity if verify is None or identity.login is None else known[verify][identity.login]
        rights: dict[str, Rights | None] = {}
        if isinstance(now, Identity):
            rights = {key: Rights(now, streams[key]) if key in streams else None for key in keys}
        answers.append((now, rights))
    for now, _ in answers:
        if isinstance(now, Identity):
            forget_related(now.user)
    return answers


def _verified(asked: Iterable[Subject]) -> dict[Verify, Mapping[Any, Identity | str]]:
    logins: dict[Verify, set[Any]] = defaultdict(set)
    for identity, verify, _ in asked:
        if verify is not None and identity.login is not None:
            logins[verify].add(identity.login)
    return {verify: verify(found) for verify, found in logins.items()}


def _streams(keys: Iterable[str]) -> dict[str, Any]:
    return {row.key: row for kind, pks in pks_by_kind(keys).items() for row in kind.with_access(pks)}
