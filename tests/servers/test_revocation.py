"""What is taken from somebody is taken from their open sockets, mid-traffic, on every process, within two seconds."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.processes import Server, redis_server
from tests.servers.clients import Site
from tests.servers.shell import Shell, shell

SECONDS = 2.0
REVIEW_SECONDS = 2.0
BEAT = 0.1
"""Between two messages of a socket."""


@dataclass
class Stage:
    """Two servers, a shell beside them, and the Redis between them."""

    site: Site
    servers: tuple[Server, Server]
    shell: Shell


def staged(site: Site, shell_env: Mapping[str, str]) -> Iterator[Stage]:
    with site.serve() as first, site.serve() as second, shell(shell_env, site.data_dir) as beside:
        yield Stage(site, (first, second), beside)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """As it is, with the re-check a minute away."""
    with redis_server() as redis:
        env = {"REDIS_URL": redis.url}
        yield from staged(Site(env, tmp_path_factory.mktemp("data"), redis), env)


@pytest.fixture(scope="module")
def deaf_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Whose Redis will die, and whose shell knows of none; the re-check is near."""
    with redis_server() as redis:
        env = {"REDIS_URL": redis.url, "CHORUS_REVIEW_INTERVAL": str(REVIEW_SECONDS)}
        yield from staged(Site(env, tmp_path_factory.mktemp("data"), redis), {})


@dataclass
class Person:
    """Somebody who is about to lose something, with what is theirs."""

    name: str
    pk: int
    secret: str
    cookie: str

    def headers(self, by: str) -> dict[str, str]:
        """Of their handshakes."""
        return {"Authorization": f"Bearer {self.secret}"} if by == "token" else {"Cookie": self.cookie}


MAKE = """
user = User.objects.create_user({name!r}, password="correct horse")
team = Group.objects.create(name=user.username)
user.groups.add(team)
for model in (Room, Topic):
    nobody = dict(guest_access="none", member_access="none")
    model.objects.create(name=user.username, **nobody).writer_groups.add(team)
client = Client()
client.force_login(user)
token, secret = Token.issue(user, "test")
answer = [user.pk, secret, "csrftoken=" + "a" * 32 + "; sessionid=" + client.cookies["sessionid"].value]
"""
FIND = """
user = User.objects.get(username={name!r})
token = user.chorus_tokens.get()
room, topic = Room.objects.get(name=user.username), Topic.objects.get(name=user.username)
"""


async def newcomer(stage: Stage) -> Person:
    """Somebody with a room and a topic that only their group may read and write."""
    name = f"p{secrets.token_hex(4)}"
    return Person(name, *await stage.shell.run(MAKE.format(name=name)))


LOSES_ALL = {
    "a token is revoked": ("token", "token.revoke()"),
    "a token is revoked by command": ("token", "call_command('revoke_token', token.prefix)"),
    "a token is deleted": ("token", "token.delete()"),
    "a token expires": ("token", "token.expires_at = Now() + timedelta(seconds=0.5); token.save()"),
    "its owner is deactivated": ("token", "user.is_active = False; user.save()"),
    "its owner is deleted": ("token", "user.delete()"),
    "a user is deactivated": ("session", "user.is_active = False; user.save()"),
    "a user is deleted": ("session", "user.delete()"),
    "a password is changed": ("session", "user.set_password('another one'); user.save()"),
    "a user is kicked": ("session", "disconnect('out', user=user.pk)"),
    "a token is kicked": ("token", "disconnect('out', token=token.pk)"),
}
LOSES_A_STREAM = {
    "a group is taken from a user": "user.groups.clear()",
    "a user is taken from a group": "user.groups.get().user_set.remove(user)",
    "a group is deleted": "user.groups.get().delete()",
    "a stream's access is changed": "room.writer_groups.clear(); topic.writer_groups.clear()",
}
NO_STATE = {"a user is kicked", "a token is kicked"}
"""Those of which only who hears of it knows."""


# Traffic.


class Talker:
    """A socket in the person's room that never stops talking."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.acknowledged = 0
        self.ended_at = 0.0

    async def talk(self) -> None:
        """Until the socket closes."""
        try:
            await asyncio.gather(self._say(), self._hear())
        except ConnectionClosed:
            self.ended_at = time.time()

    async def _say(self) -> None:
        while True:
            await self.socket.send(json.dumps({"action": "send", "text": "and"}))
            await asyncio.sleep(BEAT)

    async def _hear(self) -> None:
        while True:
            self.acknowledged += json.loads(await self.socket.recv())["type"] == "chat"


@asynccontextmanager
async def talking(stage: Stage, person: Person, by: str) -> AsyncIterator[list[Talker]]:
    """The person talks in their room on both servers."""
    async with AsyncExitStack() as stack:
        talkers = []
        for server in stage.servers:
            address = f"{server.ws}/ws/chat/{person.name}/"
            socket = await stack.enter_async_context(connect(address, additional_headers=person.headers(by)))
            talkers.append(Talker(socket))
        async with asyncio.TaskGroup() as tasks:
            for talker in talkers:
                tasks.create_task(talker.talk())
            await until(lambda: all(talker.acknowledged > 3 for talker in talkers))
            yield talkers


async def until(condition: Any) -> None:
    while not condition():  # noqa: ASYNC110 - of another process
        await asyncio.sleep(0.01)


async def last_said(stage: Stage, person: Person) -> float:
    """When the latest message in their room was stored; seconds since 1970."""
    code = f"answer = Room.objects.get(name={person.name!r}).messages.latest('seq').created_at.timestamp()"
    return float(await stage.shell.run(code))


async def change(stage: Stage, person: Person, code: str) -> float:
    """Change something; returns when it began."""
    began = time.time()
    await stage.shell.run(FIND.format(name=person.name) + code)
    return began


async def notified(socket: ClientConnection, *topics: str) -> None:
    await socket.send(json.dumps({"action": "subscribe", "topics": topics}))
    assert json.loads(await socket.recv())["type"] == "subscribed"


async def closed(socket: ClientConnection) -> int:
    try:
        while True:
            await socket.recv()
    except ConnectionClosed:
        return socket.close_code or 1006


async def stays_out(stage: Stage, person: Person, by: str) -> None:
    """Nobody comes back in, on either server."""
    for server in stage.servers:
        address = f"{server.ws}/ws/chat/{person.name}/"
        async with connect(address, additional_headers=person.headers(by)) as socket:
            assert await closed(socket) in {1008, 4506}


async def test_a_logout_closes_what_the_browser_had_open(stage: Stage) -> None:
    person = await newcomer(stage)
    async with talking(stage, person, "session") as talkers:
        began = time.time()
        await asyncio.to_thread(ask, stage.servers[0], "POST", "/accounts/logout/", person.headers("session"))
    assert {talker.socket.close_code for talker in talkers} == {4503}
    assert max(talker.ended_at for talker in talkers) < began + SECONDS
    assert await last_said(stage, person) < began + SECONDS
    await stays_out(stage, person, "session")


async def test_a_token_that_is_revoked_over_http_closes_what_it_opened(stage: Stage) -> None:
    person = await newcomer(stage)
    async with talking(stage, person, "token") as talkers:
        began = time.time()
        answer = await asyncio.to_thread(ask, stage.servers[0], "DELETE", "/api/token/", person.headers("token"))
        assert answer == 204
    assert {talker.socket.close_code for talker in talkers} == {4503}
    assert max(talker.ended_at for talker in talkers) < began + SECONDS
    await stays_out(stage, person, "token")


def ask(server: Server, method: str, path: str, headers: dict[str, str]) -> int:
    """The status of a request."""
    connection = HTTPConnection("127.0.0.1", server.port)
    connection.request(method, path, headers={**headers, "X-CSRFToken": "a" * 32})
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("way", LOSES_ALL)
async def test_who_may_nothing_any_more_is_closed_everywhere(stage: Stage, way: str) -> None:
    by, code = LOSES_ALL[way]
    person = await newcomer(stage)
    address = f"{stage.servers[1].ws}/ws/notifications/"
    async with connect(address, additional_headers=person.headers(by)) as topics:
        await notified(topics, person.name)
        async with talking(stage, person, by) as talkers:
            began = await change(stage, person, code)
        assert await closed(topics) == 4503
        assert time.time() < began + SECONDS + 0.5
    assert [talker.socket.close_code for talker in talkers] == [4503, 4503]
    assert max(talker.ended_at for talker in talkers) < began + SECONDS
    assert await last_said(stage, person) < began + SECONDS
    if way not in NO_STATE:
        await stays_out(stage, person, by)


@pytest.mark.parametrize("way", LOSES_A_STREAM)
async def test_who_may_not_be_in_a_stream_any_more_leaves_it_and_stays_in_others(stage: Stage, way: str) -> None:
    person = await newcomer(stage)
    address = f"{stage.servers[1].ws}/ws/notifications/"
    async with connect(address, additional_headers=person.headers("session")) as topics:
        await notified(topics, person.name, "me")
        async with talking(stage, person, "session") as talkers:
            began = await change(stage, person, LOSES_A_STREAM[way])
        error, unsubscribed = [json.loads(await topics.recv()) for _ in range(2)]
        assert time.time() < began + SECONDS + 0.5
        assert (error["type"], error["code"]) == ("error", "forbidden")
        assert unsubscribed == {"type": "unsubscribed", "topics": [person.name]}
        said = f"topic.publish(Identity.of_user(user), 'secret'); Topic.objects.get(owner=user).publish({OPS}, 'yours')"
        await change(stage, person, said)
        assert json.loads(await topics.recv())["message"] == "yours"
    assert [talker.socket.close_code for talker in talkers] == [4506, 4506]
    assert max(talker.ended_at for talker in talkers) < began + SECONDS
    assert await last_said(stage, person) < began + SECONDS
    await stays_out(stage, person, "session")


OPS = "Identity('user:0', 'ops')"


@pytest.mark.parametrize("way", ["a token is revoked", "a token expires", "its owner is deleted"])
async def test_server_sent_events_end_with_their_token(stage: Stage, way: str) -> None:
    person = await newcomer(stage)
    async with event_stream(stage.servers[1], person) as stream:
        began = await change(stage, person, LOSES_ALL[way][1])
        assert (await stream.read()).endswith(b"0\r\n\r\n")
    assert time.time() < began + SECONDS


@pytest.mark.parametrize("way", LOSES_A_STREAM)
async def test_server_sent_events_end_with_the_right_to_read_them(stage: Stage, way: str) -> None:
    person = await newcomer(stage)
    async with event_stream(stage.servers[1], person) as stream:
        began = await change(stage, person, LOSES_A_STREAM[way])
        rest = await stream.read()
    assert rest.index(b"event: error") < rest.index(b"event: unsubscribed")
    assert rest.endswith(b"0\r\n\r\n")
    assert time.time() < began + SECONDS


@asynccontextmanager
async def event_stream(server: Server, person: Person) -> AsyncIterator[asyncio.StreamReader]:
    """The rest of a response that goes on, after the beginning of its first event."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    sent = {"Host": f"127.0.0.1:{server.port}", "Connection": "close", **person.headers("token")}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    writer.write(f"GET /api/notifications/{person.name}/stream HTTP/1.1\r\n{head}\r\n".encode())
    try:
        await reader.readuntil(b"event: subscribed")
        yield reader
    finally:
        writer.close()
        await writer.wait_closed()


class TestWithoutRedis:
    """What no process tells another is found by the re-check of each."""

    @pytest.fixture(autouse=True)
    def _no_traceback(self) -> None:
        """Here there may be one: the layer's library logs how it lost its connection."""

    async def test_every_loss_is_found(self, deaf_stage: Stage) -> None:
        ways = [(*way, 4503) for name, way in LOSES_ALL.items() if name not in NO_STATE]
        ways += [("session", code, 4506) for code in LOSES_A_STREAM.values()]
        people = [await newcomer(deaf_stage) for _ in ways]
        opened, dark = asyncio.Barrier(len(ways) + 1), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for person, way in zip(people, ways, strict=True):
                tasks.create_task(self.lose(deaf_stage, person, way, opened, dark))
            await opened.wait()
            deaf_stage.site.redis.kill()
            dark.set()
        for person, (by, _, _) in zip(people, ways, strict=True):
            try:
                await stays_out(deaf_stage, person, by)
            except InvalidStatus as refused:  # bad tokens cannot be counted without Redis
                assert (by, refused.response.status_code) == ("token", 503)  # noqa: PT017 - both answers are good

    @staticmethod
    async def lose(
        stage: Stage, person: Person, way: tuple[str, str, int], opened: asyncio.Barrier, dark: asyncio.Event
    ) -> None:
        by, code, close = way
        async with talking(stage, person, by) as talkers:
            await opened.wait()
            await dark.wait()
            await change(stage, person, code)
            done = time.time()
        assert [talker.socket.close_code for talker in talkers] == [close, close], code
        assert max(talker.ended_at for talker in talkers) < done + REVIEW_SECONDS + 1, code
