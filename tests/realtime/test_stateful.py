"""Whatever is done in whatever order: what was acknowledged is there, and everybody sees one and the same history.

Two machines play with a room and with a topic, through their sockets, against a model that is a list. Clients
read when they get to it; one that is kicked loses what it had not read, and what it had just sent has an unknown
outcome. CHORUS_CHAOS=1 plays for longer.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User
from django.db.models import F, QuerySet
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pytest_django import Settings

from chat.models import Message, Room
from notifications.draft import Draft
from notifications.models import Notification, Topic
from realtime import db
from realtime.access import Identity
from realtime.hub import ring
from realtime.hub.hub import close_hub, current_hub
from realtime.hub.journal import close_journal, current_journal
from realtime.protocol import Refused
from realtime.streams import replay
from realtime.streams import stream as streams
from realtime.streams.batch import Batch, Stored
from realtime.streams.commit import commit
from realtime.streams.history import History, Record
from realtime.streams.key import group_of
from realtime.streams.retention import prune
from realtime.testing import OWN_ORIGIN, Event, Socket, connect, session_cookie, until

PAGE = 6
"""Entries replayed at most, in this test."""
CHAOS = os.environ.get("CHORUS_CHAOS") == "1"
EXAMPLES = 400 if CHAOS else 20
STEPS = 60 if CHAOS else 30

ELSEWHERE = Identity("elsewhere", "elsewhere")
WHO = st.integers(0, 2)
"""Two clients of Alice's, and one of Root's, who may delete anything."""
ANY = st.integers(0, 10**6)
"""Which of those there are, modulo how many there are."""

Shown = tuple[int, str | None, int | None]
"""An entry as readers get it: position, text (None: deleted), and what it deletes."""


@dataclass
class Said:
    """An entry, as the model has it."""

    seq: int
    sender: str
    text: str
    client_id: str | None = None
    target: int | None = None
    deleted: bool = False
    old: bool = False
    """More than a day."""

    def shows(self) -> Shown:
        """What readers get."""
        return self.seq, None if self.deleted else self.text, self.target


@dataclass
class Model:
    """What must be true."""

    epoch: str
    first: int = 1
    entries: list[Said] = field(default_factory=list)
    """All there ever were, by position."""
    known: dict[tuple[str, str], Said] = field(default_factory=dict)
    """By sender and id, what has to be recognised when it is sent again."""
    acknowledged: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By user, how far in which epoch."""

    @property
    def last(self) -> int:
        return len(self.entries)

    @property
    def readable(self) -> list[Said]:
        return self.entries[self.first - 1 :]

    def add(self, sender: str, text: str, client_id: str | None = None, target: int | None = None) -> Said:
        said = Said(self.last + 1, sender, text, client_id, target)
        self.entries.append(said)
        if client_id is not None:
            self.known[sender, client_id] = said
        return said

    def delete(self, sender: str, target: int, client_id: str | None) -> None:
        self.entries[target - 1].deleted = True
        self.add(sender, "", client_id, target)

    def recovers(self, since: int, epoch: str) -> bool:
        """Whether all after a position can be replayed."""
        return (since == 0 or epoch == self.epoch) and max(self.first - 1, self.last - PAGE) <= since <= self.last

    def forget(self) -> None:
        """What is read no more, and a day old, is not recognised any more."""
        gone = [key for key, said in self.known.items() if said.old and said.seq < self.first]
        for key in gone:
            del self.known[key]


class Client:
    """Somebody's client: it knows what it has read."""

    def __init__(self, user: str, cookie: str) -> None:
        self.user = user
        self.headers = {"origin": OWN_ORIGIN, "cookie": cookie}
        self.epoch = ""
        self.position = 0
        self.view: dict[int, Shown] = {}
        self.begun: list[bool] = []
        """At each beginning, whether it was told that nothing is missing."""
        self.replayed: list[Shown] = []
        """What was replayed since the latest beginning, as it came."""
        self.start = 0
        """The position at which what is live begins."""
        self.socket: Socket | None = None
        self._stack = AsyncExitStack()
        self._anew = False

    async def open(self, path: str) -> Socket:
        """Connect."""
        self.socket = await self._stack.enter_async_context(connect(path, headers=self.headers))
        return self.socket

    async def vanish(self) -> None:
        """Go without goodbye, leaving unread what is unread."""
        assert self.socket is not None
        socket, self.socket = self.socket, None
        await socket.disconnect(1006)
        await self._stack.aclose()

    def begin(self, seq: int, epoch: str, recovered: bool) -> None:
        """The server said where it is."""
        self.begun.append(recovered)
        self.replayed = []
        self.epoch, self.start = epoch, seq
        if not recovered:
            self.view.clear()
            self._anew = True

    def read(self, entry: Shown) -> None:
        """An entry came; fails if it is not the next one."""
        seq, _, target = entry
        if not self._anew:
            assert seq == self.position + 1, f"{self.user} has {self.position} and got {entry}"
        self._anew = False
        self.position = seq
        if seq <= self.start:
            self.replayed.append(entry)
        self.view[seq] = entry
        if target in self.view:
            self.view[target] = (target, None, self.view[target][2])

    def is_where(self, model: Model) -> bool:
        """Tell whether it has everything."""
        nothing_left = self._anew and model.first > model.last
        return self.epoch == model.epoch and (nothing_left or (not self._anew and self.position == model.last))

    def settle(self, model: Model) -> None:
        """It has everything: where nothing came with a beginning, there was nothing."""
        if self._anew:
            self.position, self._anew = model.last, False


class Machine(RuleBasedStateMachine):
    """The rules, and what must hold after each; a subclass says what is said on its sockets."""

    model_class: ClassVar[type[History]]
    deletions_have_ids: ClassVar[bool]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.run = self.runner.run
        self.numbers = iter(range(10**9))
        self.run(self.set_up())

    async def set_up(self) -> None:
        """Make an empty stream, and clients that are not connected."""
        self.stream: Any = await db.run(
            self.model_class._default_manager.create, name="lobby", keep_days=0, keep_entries=0
        )
        self.model = Model(self.stream.epoch)
        users = await db.run(lambda: {user.get_username(): user for user in User.objects.all()})
        self.root = Identity.of_user(users["root"])
        cookies = {name: await session_cookie(user) for name, user in users.items()}
        self.clients = [Client(name, cookies[name]) for name in ("alice", "alice", "root")]
        self.hints: list[Batch] = []
        self.untold = False

    def teardown(self) -> None:
        """Leave nothing behind."""
        try:
            self.run(self.tear_down())
        finally:
            self.runner.close()
            db.close()

    async def tear_down(self) -> None:
        """See that nothing comes twice in the end; close all."""
        try:
            for client in self.clients:
                if client.socket is not None:
                    await self.barrier(client)
        finally:
            for client in self.clients:
                if client.socket is not None:
                    await client.vanish()
            await close_hub()
            await close_journal()
            await db.run(self.stream.delete)

    # What a subclass says.

    async def connect(self, client: Client, since: int | None, epoch: str) -> None:
        """Connect, and read up to the beginning."""
        raise NotImplementedError

    def take(self, client: Client, event: Event) -> bool:
        """Let the client see an event; True if it was one for this test."""
        raise NotImplementedError

    async def send(self, client: Client, text: str, client_id: str) -> None:
        """Send something to be stored."""
        raise NotImplementedError

    def saying(self, text: str, client_id: str) -> Record:
        """The same as an entry, by somebody in another process."""
        raise NotImplementedError

    async def answer(self, client: Client, client_id: str) -> Event:
        """Read up to the answer to what was sent."""
        raise NotImplementedError

    async def delete(self, client: Client, target: int, client_id: str | None) -> str | None:
        """Delete what is at a position; returns the code of a refusal."""
        raise NotImplementedError

    async def barrier(self, client: Client) -> None:
        """Read up to the answer to a question that changes nothing."""
        raise NotImplementedError

    # Reading.

    async def until_event(self, client: Client, wanted: Callable[[Event], bool]) -> Event:
        """Read, seeing what comes, up to an event."""
        assert client.socket is not None
        while True:
            event = await client.socket.event()
            self.take(client, event)
            if wanted(event):
                return event

    async def caught_up(self, client: Client) -> None:
        """Read until it has everything; fails after a while."""
        assert client.socket is not None
        if self.untold:
            await current_hub().check_positions()
            self.untold = False
        while not client.is_where(self.model):
            self.take(client, await client.socket.event())
        client.settle(self.model)

    async def all_caught_up(self) -> None:
        for client in self.clients:
            if client.socket is not None:
                await self.caught_up(client)

    # Rules.

    def connected(self, who: int) -> Client:
        """That client, which comes back first if it is away."""
        client = self.clients[who]
        if client.socket is None:
            self.run(self._resume(client, None))
        return client

    @rule(who=WHO, since_0=st.booleans())
    def resume(self, who: int, since_0: bool) -> None:
        """Come back, from wherever it is, to where it was, or to the very beginning."""
        self.kick(who)
        self.run(self._resume(self.clients[who], 0 if since_0 else None))

    async def _resume(self, client: Client, since: int | None) -> None:
        if since is not None or not client.begun:
            client.position, client.epoch = 0, client.epoch if since is not None else ""
            client.view.clear()
        position = client.position
        await self.begun(client, self.connect(client, position, client.epoch), position, client.epoch)

    async def begun(self, client: Client, beginning: Awaitable[None], position: int, epoch: str) -> None:
        """Begin after a position, and see that it is said whether anything is missing."""
        expected, untold = self.model.recovers(position, epoch), self.untold
        await beginning
        await self.caught_up(client)
        # A process that was not told of the newest entries has older ones at hand.
        assert client.begun[-1] == expected or (client.begun[-1] and untold)
        self.check_replay(client)

    def check_replay(self, client: Client) -> None:
        """What was replayed is what can be read now: nothing that was deleted or pruned."""
        now = {said.seq: said.shows() for said in self.model.readable}
        for entry in client.replayed:
            assert entry == now.get(entry[0])

    @rule(who=WHO)
    def kick(self, who: int) -> None:
        """Lose the connection, with all that was not read."""
        if self.clients[who].socket is not None:
            self.run(self.clients[who].vanish())

    @rule(who=WHO)
    def read(self, who: int) -> None:
        """Read all that came."""
        self.run(self.caught_up(self.connected(who)))

    @rule(who=WHO)
    def say(self, who: int) -> None:
        """Say something new and wait for the acknowledgement."""
        self.run(self._say(self.connected(who), *self.new_text()))

    def new_text(self) -> tuple[str, str]:
        number = next(self.numbers)
        return f"text {number}", f"id {number}"

    async def _say(self, client: Client, text: str, client_id: str) -> None:
        first = self.model.known.get((client.user, client_id))
        await self.send(client, text, client_id)
        answer = await self.answer(client, client_id)
        if first is None:
            first = self.model.add(client.user, text, client_id)
            assert "duplicate" not in answer
        elif first.text != text:
            assert answer["code"] == "id_conflict"
            return
        else:
            assert answer["duplicate"] is True
        assert answer["seq"] == first.seq

    @rule(who=WHO, which=ANY, same=st.booleans())
    def retry(self, who: int, which: int, same: bool) -> None:
        """Send again what its user has sent before; or something else with the same id."""
        client = self.connected(who)
        own = [said for said in self.model.entries if said.sender == client.user and said.text and said.client_id]
        if own:
            said = own[which % len(own)]
            assert said.client_id is not None
            self.run(self._say(client, said.text if same else f"not {said.text}", said.client_id))

    @rule(who=WHO, again=st.booleans(), later=st.booleans())
    def say_and_be_kicked(self, who: int, again: bool, later: bool) -> None:
        """Say something, lose the connection before the answer, come back and send it again."""
        self.run(self._say_and_be_kicked(self.connected(who), again, later))

    async def _say_and_be_kicked(self, client: Client, again: bool, later: bool) -> None:
        text, client_id = self.new_text()
        await self.send(client, text, client_id)
        if later:
            await asyncio.sleep(0)
        await client.vanish()
        await until(lambda: current_journal()._writing is None)  # noqa: SLF001 - nobody is told of the outcome: that is the point
        if await db.run(self.stream.appended().filter(client_id=client_id).exists):
            self.model.add(client.user, text, client_id)
        if again:
            await self._resume(client, None)
            await self._say(client, text, client_id)

    @rule()
    def say_elsewhere(self) -> None:
        """Something is said in another process, whose hint is lost or late."""
        text, client_id = self.new_text()
        self.hints.append(self.run(db.run(self.commit_elsewhere, text, client_id)))
        self.untold = True
        self.model.add("elsewhere", text, client_id)

    def commit_elsewhere(self, text: str, client_id: str) -> Batch:
        entry = self.saying(text, client_id)
        entry.stream = self.stream
        [batch] = commit(self.model_class, [entry]).batches
        return batch

    @rule(which=ANY)
    def hint(self, which: int) -> None:
        """The hint of something that was said in another process comes, late, or once more."""
        if self.hints:
            item = self.hints[which % len(self.hints)].to_item()
            self.run(self._hint(item))

    async def _hint(self, item: Any) -> None:
        current_hub().bus._take(group_of(self.stream.key), item)  # noqa: SLF001 - as the layer does

    @rule(who=WHO, which=ANY)
    def take_back(self, who: int, which: int) -> None:
        """Delete an entry, rather a new one, which others have at hand, than one that is gone."""
        client = self.connected(who)
        if self.model.entries:
            self.run(self._take_back(client, self.model.entries[-1 - which % min(self.model.last, 2 * PAGE)]))

    async def _take_back(self, client: Client, said: Said) -> None:
        client_id = f"id {next(self.numbers)}" if self.deletions_have_ids else None
        refusal = await self.delete(client, said.seq, client_id)
        if said.seq < self.model.first or said.deleted or said.target is not None:
            assert refusal == "not_found"
        elif not self.may_delete(client, said):
            assert refusal == "forbidden"
        else:
            assert refusal is None
            self.model.delete(self.deletes_as(client), said.seq, client_id)
            await self.all_caught_up()
            if client_id is not None:
                assert await self.delete(client, said.seq, client_id) is None, "sent again, it is recognised"

    def may_delete(self, client: Client, said: Said) -> bool:
        return client.user in {"root", said.sender}

    def deletes_as(self, client: Client) -> str:
        return client.user

    @rule(keep=st.integers(1, 8))
    def prune_by_number(self, keep: int) -> None:
        """Keep so many; the next check of positions has passed."""
        self.run(self._prune({"keep_entries": keep}, self.model.last - keep + 1))

    @rule()
    def prune_by_age(self) -> None:
        """Keep what is less than a day old."""
        young = (said.seq for said in self.model.readable if not said.old)
        self.run(self._prune({"keep_days": 1}, next(young, self.model.last + 1)))

    async def _prune(self, limits: dict[str, int], first: int) -> None:
        await self.all_caught_up()
        none = {"keep_days": 0, "keep_entries": 0}

        def work() -> None:
            rows = self.rows()
            rows.update(**{**none, **limits})
            prune(rows.get())
            rows.update(**none)

        await db.run(work)
        await current_hub().check_positions()
        self.model.first = max(self.model.first, first)
        self.model.forget()

    @rule()
    def a_day_passes(self) -> None:
        """What is there becomes old."""
        ago = F("created_at") - timedelta(hours=25)
        self.run(db.run(lambda: self.stream.appended().update(created_at=ago)))
        for said in self.model.entries:
            said.old = True

    @rule()
    def reset(self) -> None:
        """Delete all."""

        def work() -> None:
            self.stream.refresh_from_db()
            self.stream.reset_history()

        self.model.first = self.model.last + 1
        self.model.forget()
        self.run(self._renew(work))

    @rule()
    def renew_epoch(self) -> None:
        """Begin a new epoch with the same entries."""
        self.run(self._renew(lambda: self.model_class.renew_epoch(self.stream.pk, self.model.epoch)))

    async def _renew(self, work: Callable[[], None]) -> None:
        here = [client for client in self.clients if client.socket is not None]
        beginnings = [len(client.begun) for client in here]
        await db.run(work)
        before, self.model.epoch = self.model.epoch, (await self.row()).epoch
        assert self.model.epoch != before
        await self.all_caught_up()
        for client, count in zip(here, beginnings, strict=True):
            assert client.begun[count:] == [False], "once, and not as if nothing had happened"
            self.check_replay(client)

    def rows(self) -> QuerySet[Any]:
        """The stream's row."""
        return self.model_class._default_manager.filter(pk=self.stream.pk)

    async def row(self) -> Any:
        return await db.run(self.rows().get)

    # What holds after each step.

    @invariant()
    def the_database_is_the_model(self) -> None:
        """Positions have no hole, each id is there once, nothing is back that was deleted."""
        self.run(self._check_database())

    @staticmethod
    def all_of(row: Any) -> list[Stored]:
        """All that can be read back, page by page."""
        stored, more = row.history(limit=10**6)
        while more:
            older, more = row.history(before=stored[0].seq, limit=10**6)
            stored = [*older, *stored]
        return stored  # type: ignore[no-any-return]

    async def _check_database(self) -> None:
        row = await self.row()
        assert (row.epoch, row.first_seq, row.last_seq) == (self.model.epoch, self.model.first, self.model.last)
        stored = await db.run(self.all_of, row)
        assert [self.seen(json.loads(each.text)) for each in stored] == [said.shows() for said in self.model.readable]
        content = row.appended().filter(seq__lt=row.first_seq).exclude(**row.entry_model.emptied)
        assert not await db.run(content.exists)
        kept = await db.run(lambda: list(row.appended().exclude(client_id=None).values_list("client_id", "seq")))
        assert sorted(kept) == sorted((said.client_id, said.seq) for said in self.model.known.values())

    @invariant()
    def nobody_has_anything_else(self) -> None:
        """What a client has read is what was said, in that order; of what it has not read yet it may have the text."""
        for client in self.clients:
            seqs = list(client.view)
            assert seqs == list(range(seqs[0], seqs[-1] + 1)) if seqs else True
            for seq, text, target in client.view.values():
                said = self.model.entries[seq - 1]
                assert text in {said.text, None}
                assert target == said.target

    def seen(self, event: Event) -> Shown:
        """An entry's event, as readers get it, in the model's words."""
        if event["type"] in {"deleted", "retracted"}:
            return event["seq"], "", event["target"]
        return event["seq"], None if event.get("deleted") else event["message"], None


class Chat(Machine):
    """A room."""

    model_class = Room
    deletions_have_ids = True

    async def connect(self, client: Client, since: int | None, epoch: str) -> None:
        await client.open(f"/ws/chat/lobby/?since={since}&epoch={epoch}")
        await self.until_event(client, lambda event: event["type"] == "joined")

    def take(self, client: Client, event: Event) -> bool:
        match event["type"]:
            case "joined":
                client.begin(event["seq"], event["epoch"], event["recovered"])
                entries = event["messages"]
            case "replay":
                entries = event["messages"]
            case "chat" | "deleted" if "duplicate" not in event:
                entries = [event]
            case _:
                return False
        for entry in entries:
            client.read(self.seen(entry))
        return True

    async def send(self, client: Client, text: str, client_id: str) -> None:
        assert client.socket is not None
        await client.socket.command("send", text=text, id=client_id)

    def saying(self, text: str, client_id: str) -> Message:
        return Message.saying(ELSEWHERE, text, client_id)

    async def answer(self, client: Client, client_id: str) -> Event:
        # Of what came before, an event with this id may be left unread: the first one, if this is a repeat.
        asked = (client.user, client_id) in self.model.known
        return await self.until_event(
            client,
            lambda event: (
                event.get("id") == client_id
                and (event["type"] == "error" or (event["type"] == "chat" and asked == ("duplicate" in event)))
            ),
        )

    async def delete(self, client: Client, target: int, client_id: str | None) -> str | None:
        assert client.socket is not None
        await client.socket.command("delete", seq=target, id=client_id)
        event = await self.until_event(client, lambda event: event.get("id") == client_id)
        return event.get("code")

    async def barrier(self, client: Client) -> None:
        assert client.socket is not None
        await client.socket.command("history", limit=1, id="barrier")
        await self.until_event(client, lambda event: event.get("id") == "barrier")

    @rule(who=WHO, before=st.integers(1, 40), limit=st.integers(1, 10))
    def ask_history(self, who: int, before: int, limit: int) -> None:
        """Ask for older entries."""
        self.run(self._ask_history(self.connected(who), before, limit))

    async def _ask_history(self, client: Client, before: int, limit: int) -> None:
        assert client.socket is not None
        await client.socket.command("history", before=before, limit=limit, id="history")
        event = await self.until_event(client, lambda event: event["type"] == "history")
        there = [said.shows() for said in self.model.readable if said.seq < before]
        shown = [self.seen(entry) for entry in event["messages"]]
        # The newest of those asked for, as many as a frame holds: two at least.
        assert min(len(there), limit, 2) <= len(shown) <= limit
        assert shown == there[len(there) - len(shown) :]
        assert event["more"] == (len(there) > len(shown))


class Notifications(Machine):
    """A topic, and how far each user has acknowledged it."""

    model_class = Topic
    deletions_have_ids = False

    async def connect(self, client: Client, since: int | None, epoch: str) -> None:
        await self.subscribe(client, {"lobby": {"seq": since, "epoch": epoch}})

    async def subscribe(self, client: Client, since: Any) -> None:
        socket = await client.open("/ws/notifications/")
        await socket.command("subscribe", topics=["lobby"], since=since)
        await self.until_event(client, lambda event: event["type"] == "subscribed")

    def take(self, client: Client, event: Event) -> bool:
        match event["type"]:
            case "subscribed":
                client.begin(**event["streams"]["lobby"])
            case "notification" | "retracted":
                client.read(self.seen(event))
            case _:
                return False
        return True

    async def send(self, client: Client, text: str, client_id: str) -> None:
        assert client.socket is not None
        await client.socket.command("publish", topic="lobby", message=text, id=client_id)

    def saying(self, text: str, client_id: str) -> Notification:
        return Notification.saying(ELSEWHERE, Draft(text, client_id=client_id))

    async def answer(self, client: Client, client_id: str) -> Event:
        return await self.until_event(
            client, lambda event: event.get("id") == client_id and event["type"] in {"published", "error"}
        )

    async def delete(self, client: Client, target: int, client_id: str | None) -> str | None:
        """Delete as staff do in admin."""
        try:
            await db.run(self.stream.retract, self.root, target)
        except Refused as refusal:
            return refusal.code
        return None

    def may_delete(self, client: Client, said: Said) -> bool:
        return True

    def deletes_as(self, client: Client) -> str:
        return "root"

    async def barrier(self, client: Client) -> None:
        assert client.socket is not None
        await client.socket.command("unsubscribe", topics=["nothing"], id="barrier")
        await self.until_event(client, lambda event: event.get("id") == "barrier")

    @invariant()
    def what_was_acknowledged_is_noted(self) -> None:
        """Each user's position, with its epoch."""
        stored = self.run(db.run(lambda: list(self.stream.cursors.values_list("user__username", "seq", "epoch"))))
        assert sorted(stored) == sorted((user, *cursor) for user, cursor in self.model.acknowledged.items())

    @rule(who=WHO, which=ANY)
    def acknowledge(self, who: int, which: int) -> None:
        """Note that all up to some position, there or not, was seen."""
        client = self.connected(who)
        self.run(self._acknowledge(client, which % (self.model.last + 2)))

    async def _acknowledge(self, client: Client, seq: int) -> None:
        assert client.socket is not None
        asked = f"ack {next(self.numbers)}"
        await client.socket.command("ack", topic="lobby", seq=seq, id=asked)
        event = await self.until_event(client, lambda event: event.get("id") == asked)
        if seq > self.model.last:
            assert event["code"] == "invalid"
            return
        before, epoch = self.model.acknowledged.get(client.user, (0, ""))
        seq = max(seq, before) if epoch == self.model.epoch else seq
        self.model.acknowledged[client.user] = seq, self.model.epoch
        assert event["seq"] == seq

    @rule(who=WHO)
    def resume_where_acknowledged(self, who: int) -> None:
        """Come back to where its user has acknowledged, on whatever client."""
        self.kick(who)
        self.run(self._resume_where_acknowledged(self.clients[who]))

    async def _resume_where_acknowledged(self, client: Client) -> None:
        client.position, epoch = self.model.acknowledged.get(client.user, (0, ""))
        client.view.clear()
        await self.begun(client, self.subscribe(client, "acked"), client.position, epoch)


@pytest.mark.parametrize("machine", [Chat, Notifications])
@pytest.mark.django_db(transaction=True)
def test_any_order_of_events_keeps_the_promises(
    machine: type[Machine], alice: User, root: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHORUS_COMMAND_RATE = 0
    settings.CHORUS_PRUNE_INTERVAL = 0
    for module in (ring, streams):
        monkeypatch.setattr(module, "PAGE", PAGE)
    monkeypatch.setattr(replay, "ENTRIES_BYTES", 300)
    # Making a failure small takes minutes, since what fails often waits for what does not come.
    phases = [Phase.generate, *([Phase.shrink] if CHAOS else [])]
    few = hypothesis_settings(max_examples=EXAMPLES, stateful_step_count=STEPS, phases=phases)
    run_state_machine_as_test(machine, settings=few)
