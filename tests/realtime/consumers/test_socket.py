"""A socket's life: login, commands to methods, refusals, limits, and an end at which everything is tidied up."""

import asyncio
import json
import logging
from typing import Any, Literal

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.urls import re_path
from pytest_django import Settings

from accounts.credentials import Credentials
from accounts.models import Token
from accounts.secret import new_secret
from realtime import db
from realtime.asgi import websocket_application
from realtime.consumers.commands import IN_FLIGHT, JsonConsumer, command
from realtime.consumers.socket import SocketConsumer
from realtime.hub.hub import current_hub
from realtime.hub.outbox import Frame
from realtime.protocol import Close, CloseCode, Command, Event, Refused
from realtime.testing import HandshakeRefused, connect, until
from tests.realtime.hub.test_outbox import Reader
from tests.realtime.layers import RecordingLayer

in_threads = pytest.mark.django_db(transaction=True)


class Ask(Command):
    action: Literal["ask"] = "ask"
    what: str = ""
    number: int = 0


class Store(Command):
    action: Literal["store"] = "store"


class Told(Event):
    type: Literal["told"] = "told"
    what: str
    id: str | None = None


class Talk(JsonConsumer):
    """A consumer that does what a test asks for."""

    last: "Talk"
    at_opening: BaseException | None = None
    at_closing: BaseException | None = None

    def __init__(self) -> None:
        super().__init__()
        type(self).last = self
        self.happened: list[str] = []
        self.storing: list[asyncio.Future[str]] = []

    async def opened(self) -> None:
        self.happened.append("opened")
        if self.at_opening is not None:
            raise self.at_opening
        await self.reply(Told(what=f"hello {self.identity.name.partition('-')[0]}"))

    async def identified(self) -> None:
        self.happened.append("identified")
        await self.reply(Told(what=f"hello again {self.identity.name}"))

    def closed(self) -> None:
        self.happened.append("closed")
        if self.at_closing is not None:
            raise self.at_closing

    @command(Ask)
    async def ask(self, asked: Ask) -> None:
        match asked.what:
            case "a bug":
                raise ZeroDivisionError("oh")
            case "the database":
                raise db.Unavailable("away")
            case "no":
                raise Refused("forbidden", "No.")
            case "never":
                raise Refused("forbidden", "Never.", close=CloseCode.NOT_ALLOWED)
            case "bye":
                raise Close(CloseCode.DONE, "bye")
            case "a bug beside":
                self.spawn(self._fail())
            case "end":
                self.end(CloseCode.REVOKED, "revoked")
            case _:
                await self.reply(Told(what=asked.what, id=asked.id))

    async def _fail(self) -> None:
        raise ZeroDivisionError("oh")

    @command(Store)
    async def store(self, _: Store) -> None:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.storing.append(future)
        await self.answer_later(future, _.id, lambda what: Told(what=what) if what else None)


class MoreTalk(Talk):
    """A consumer that knows one command more than its base."""

    class Shout(Command):
        action: Literal["shout"] = "shout"

    @command(Shout)
    async def shout(self, _: Shout) -> None:
        await self.reply(Told(what="LOUD"))


class Members(SocketConsumer):
    """A plain consumer for who is logged in."""

    login_required = True

    async def on_text(self, text: str) -> None:
        await self.reply(f"[{self.identity.name}] {text}")


APPLICATION = websocket_application(
    [
        re_path(r"^talk/$", Talk.as_asgi()),
        re_path(r"^more/$", MoreTalk.as_asgi()),
        re_path(r"^members/$", Members.as_asgi()),
    ],
    credentials=Credentials,
)


def talk(path: str = "/talk/", **options: Any) -> Any:
    """Open a socket to one of the consumers above."""
    return connect(path, application=APPLICATION, **options)


@pytest.fixture(autouse=True)
def _good_consumers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Talk, "at_opening", None)
    monkeypatch.setattr(Talk, "at_closing", None)


def held_by() -> dict[str, int]:
    """Who holds sockets of this process."""
    return dict(current_hub().sockets._by_holder)  # noqa: SLF001 - none may be left, and none is shown


# Commands.


async def test_a_command_goes_to_its_method_with_its_types() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ask", what="hi", id="7", colour="red")
        assert await socket.event() == {"type": "told", "what": "hi", "id": "7"}


async def test_a_subclass_knows_its_base_s_commands_and_its_own() -> None:
    async with talk("/more/") as socket:
        await socket.next("told")
        await socket.command("shout")
        assert (await socket.event())["what"] == "LOUD"
        await socket.command("ask", what="hi")
        assert (await socket.event())["what"] == "hi"
    assert "shout" not in Talk.commands


@pytest.mark.parametrize("frame", ['{"action":"dance"}', '{"action":5}', '{"action":null}', '{"action":["ask"]}', "{}"])
async def test_an_unknown_action_is_told_which_are_known(frame: str) -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.send(frame)
        error = await socket.error()
        assert error["code"] == "unsupported_action"
        assert error["message"].endswith("ask, store")


async def test_a_client_cannot_name_a_method_that_is_no_command() -> None:
    async with talk() as socket:
        await socket.next("told")
        for name in ("opened", "closed", "__init__", "log_in", "_fail", "end"):
            await socket.command(name)
            assert (await socket.error())["code"] == "unsupported_action"


@pytest.mark.parametrize("frame", ["hello", "", "[1]", "{", '{"action":"ask"', " {}"])
async def test_what_is_no_json_object_is_bad_json(frame: str) -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.send(frame)
        assert (await socket.error())["code"] == "bad_json"


async def test_wrong_fields_are_named_and_the_id_is_repeated() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ask", number="5", what=1, id="7")
        error = await socket.error()
        assert (error["code"], sorted(error["fields"]), error["id"]) == ("invalid", ["number", "what"], "7")


async def test_a_refusal_keeps_the_socket_open() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ask", what="no", id="7")
        assert await socket.event() == {"type": "error", "code": "forbidden", "message": "No.", "id": "7"}
        await socket.command("ask", what="still here")
        assert (await socket.event())["what"] == "still here"


async def test_a_refusal_with_a_close_code_is_told_first() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ask", what="never")
        assert (await socket.error())["code"] == "forbidden"
        assert await socket.closed() == (4506, "Never.")


async def test_storage_that_is_away_is_told_and_the_socket_stays_open() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ask", what="the database", id="7")
        error = await socket.error()
        assert (error["code"], error["id"]) == ("unavailable", "7")
        await socket.command("ask", what="hi")
        assert (await socket.event())["what"] == "hi"


async def test_binary_where_text_is_spoken_closes_with_1003() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.send(b"\x00")
        assert await socket.closed() == (1003, "text only")


@pytest.mark.parametrize("frame", ["x" * 101, "ü" * 51, b"x" * 101], ids=["ASCII", "not ASCII", "binary"])
async def test_a_frame_of_too_many_bytes_closes_with_1009(frame: str | bytes, settings: Settings) -> None:
    settings.CHORUS_MAX_FRAME_BYTES = 100
    async with talk() as socket:
        await socket.next("told")
        await socket.send(frame)
        assert (await socket.closed())[0] == 1009


async def test_of_a_name_given_twice_in_the_address_the_last_counts() -> None:
    async with talk("/talk/?a=1&a=%C3%BC&b=&c") as socket:
        await socket.next("told")
        assert Talk.last.query == {"a": "ü", "b": "", "c": ""}


# Answers that come later.


async def test_answers_come_in_the_order_of_their_commits_and_keep_no_command_waiting() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("store")
        await socket.command("store")
        await socket.command("ask", what="meanwhile")
        assert (await socket.event())["what"] == "meanwhile"
        for number, future in enumerate(Talk.last.storing):
            future.set_result(str(number))
        assert [(await socket.event())["what"] for _ in range(2)] == ["0", "1"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("id_conflict", "No."), "id_conflict"),
        (db.Unavailable("away"), "unavailable"),
        (KeyError(), "unavailable"),
    ],
)
async def test_an_answer_that_failed_is_told_with_its_id(error: Exception, code: str) -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("store", id="7")
        await until(lambda: Talk.last.storing)
        Talk.last.storing[0].set_exception(error)
        told = await socket.error()
        assert (told["code"], told["id"]) == (code, "7")


async def test_no_more_is_read_while_too_much_is_under_way(settings: Settings) -> None:
    settings.CHORUS_COMMAND_RATE = 0
    async with talk() as socket:
        await socket.next("told")
        for _ in range(IN_FLIGHT + 5):
            await socket.command("store")
        await until(lambda: len(Talk.last.storing) == IN_FLIGHT)
        assert await socket.silent()
        assert len(Talk.last.storing) == IN_FLIGHT
        Talk.last.storing[0].set_result("")
        await until(lambda: len(Talk.last.storing) == IN_FLIGHT + 1)
        while pending := [future for future in Talk.last.storing if not future.done()]:
            for future in pending:
                future.set_result("")
            await asyncio.sleep(0)


# Login.


async def test_a_guest_is_a_guest() -> None:
    async with talk() as socket:
        assert (await socket.event())["what"] == "hello Guest"


@in_threads
async def test_a_cookie_logs_in_without_a_word(alice: User) -> None:
    async with talk(user=alice) as socket:
        assert (await socket.event())["what"] == "hello alice"


@in_threads
async def test_a_bearer_token_logs_in_without_a_word(secret: str) -> None:
    async with talk(secret=secret) as socket:
        assert (await socket.event())["what"] == "hello alice"


async def test_a_bad_bearer_token_is_told_and_closed() -> None:
    async with talk(secret="wrong") as socket:
        assert await socket.event() == {"type": "auth", "status": "error", "message": "Invalid token"}
        assert await socket.closed() == (1008, "Authentication failed")
    assert Talk.last.happened == ["closed"]


@in_threads
@pytest.mark.parametrize("extra", [{}, {"action": "auth"}, {"action": "auth", "id": "7"}])
async def test_a_login_may_be_waited_for_before_anything_else(secret: str, extra: dict[str, str]) -> None:
    async with talk("/talk/?login=message") as socket:
        assert await socket.silent()
        await socket.send(json.dumps({"token": secret, **extra}))
        assert await socket.event() == {"type": "auth", "status": "ok", "username": "alice"}
        assert (await socket.event())["what"] == "hello alice"


@in_threads
async def test_a_login_message_wins_over_a_cookie(secret: str, bob: User) -> None:
    async with talk("/talk/?login=message", user=bob) as socket:
        await socket.send(json.dumps({"token": secret}))
        assert (await socket.next("auth"))["username"] == "alice"


@pytest.mark.parametrize("path", ["/members/", "/talk/?login=message"])
async def test_silence_instead_of_a_login_is_told_and_closed(path: str, settings: Settings) -> None:
    settings.CHORUS_LOGIN_TIMEOUT = 0.05
    async with talk(path) as socket:
        assert await socket.event() == {"type": "auth", "status": "error", "message": "Authentication timeout"}
        assert await socket.closed() == (1008, "Authentication failed")


@in_threads
async def test_without_a_limit_a_login_is_waited_for(secret: str, settings: Settings) -> None:
    settings.CHORUS_LOGIN_TIMEOUT = 0
    async with talk("/members/") as socket:
        assert await socket.silent()
        await socket.send(json.dumps({"token": secret}))
        assert (await socket.event())["status"] == "ok"


@pytest.mark.parametrize("frame", ["hi", "", b"\x00", "{}", '{"action":"ask"}', '{"action":"ask","token":"x"}', "[1]"])
async def test_whatever_comes_instead_of_a_login_is_told_and_closed(frame: str | bytes) -> None:
    async with talk("/members/") as socket:
        await socket.send(frame)
        told = await socket.event()
        assert told["message"].startswith("Authentication required")
        assert await socket.closed() == (1008, "Authentication failed")


@in_threads
@pytest.mark.parametrize(
    "token", ["", "wrong", pytest.param(new_secret(), id="well-formed"), "\x00", "🎉", 5, None, ["x"]]
)
async def test_a_token_that_is_none_is_told_and_closed(token: object) -> None:
    async with talk("/members/") as socket:
        await socket.send(json.dumps({"token": token}))
        assert await socket.event() == {"type": "auth", "status": "error", "message": "Invalid token"}
        assert await socket.closed() == (1008, "Authentication failed")


@in_threads
async def test_a_revoked_token_and_one_of_a_deactivated_user_log_nobody_in(
    token: Token, secret: str, alice: User
) -> None:
    def revoke() -> None:
        User.objects.update(is_active=True)
        token.revoke()

    for spoil in (lambda: User.objects.update(is_active=False), revoke):
        await db.run(spoil)
        async with talk("/members/") as socket:
            await socket.send(json.dumps({"token": secret}))
            assert (await socket.event())["status"] == "error"


async def test_who_leaves_before_the_login_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    async with talk("/members/"):
        assert current_hub().sockets.total == 1
    assert current_hub().sockets.total == 0
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@in_threads
async def test_a_login_on_an_open_socket_is_told_to_its_consumer(secret: str) -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.send(json.dumps({"token": secret}))
        assert await socket.event() == {"type": "auth", "status": "ok", "username": "alice"}
        assert (await socket.event())["what"] == "hello again alice"


@in_threads
async def test_a_login_as_oneself_counts_too_since_the_token_may_do_less(secret: str, alice: User) -> None:
    async with talk(user=alice) as socket:
        await socket.next("told")
        await socket.send(json.dumps({"token": secret}))
        await socket.next("auth", status="ok")
        assert (await socket.event())["what"] == "hello again alice"


async def test_a_wrong_login_on_an_open_socket_is_told_and_closed() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.send('{"token":"wrong"}')
        assert await socket.event() == {"type": "auth", "status": "error", "message": "Invalid token"}
        assert await socket.closed() == (1008, "Authentication failed")
    assert Talk.last.happened == ["opened", "closed"]


async def test_a_login_that_is_no_login_is_invalid() -> None:
    async with talk() as socket:
        await socket.next("told")
        for frame in ('{"token":5}', '{"action":"auth"}', '{"action":"auth","token":null}'):
            await socket.send(frame)
            error = await socket.error()
            assert (error["code"], list(error["fields"])) == ("invalid", ["token"])


@in_threads
async def test_a_login_that_cannot_be_checked_is_unavailable_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talk() as socket:
        await socket.next("told")

        def away(_secrets: list[str]) -> None:
            raise db.Unavailable("away")

        monkeypatch.setattr(Token, "authenticate_all", away)
        await socket.send(json.dumps({"token": new_secret()}))
        assert (await socket.error())["code"] == "unavailable"
        await socket.command("ask", what="still here")
        assert (await socket.event())["what"] == "still here"


# Limits.


async def test_too_many_commands_are_refused_and_the_third_time_the_socket_is_closed(settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 2, 0.1
    async with talk() as socket:
        await socket.next("told")
        for number in range(5):
            await socket.command("ask", what="hi", id=str(number))
        assert [(await socket.event())["type"] for _ in range(2)] == ["told", "told"]
        errors = [await socket.error() for _ in range(3)]
        assert [(error["code"], error["id"]) for error in errors] == [("rate_limited", n) for n in "234"]
        assert 0 < errors[0]["retry_after"] <= 10
        assert (await socket.closed())[0] == 4003


@in_threads
async def test_a_user_has_so_many_sockets_and_no_more(alice: User, bob: User, settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_USER = 2
    async with talk(user=alice) as first:
        await first.next("told")
        async with talk(user=alice), talk(user=alice) as third:
            error = await third.error()
            assert (error["code"], error["message"]) == ("rate_limited", "Too many connections")
            assert (await third.closed())[0] == 1013
            async with talk(user=bob) as other:
                await other.next("told")
        async with talk(user=alice) as again:
            await again.next("told")


async def test_an_address_has_so_many_guests_and_no_more(settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = 1
    async with talk(client=("192.0.2.1", 1)) as first, talk(client=("192.0.2.1", 2)) as second:
        await first.next("told")
        await second.error()
        assert (await second.closed())[0] == 1013
        async with talk(client=("192.0.2.2", 1)) as elsewhere:
            await elsewhere.next("told")


@in_threads
async def test_users_do_not_count_for_their_address(secret: str, alice: User, settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = 1
    async with talk(user=alice), talk(secret=secret), talk() as guest:
        await guest.next("told")


@in_threads
async def test_a_login_moves_a_socket_from_its_address_to_its_user(secret: str, settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = settings.CHORUS_CONNECTIONS_PER_USER = 1
    async with talk() as first:
        await first.next("told")
        await first.send(json.dumps({"token": secret}))
        await first.next("auth", status="ok")
        async with talk() as second:
            await second.next("told")
            await second.send(json.dumps({"token": secret}))
            assert (await second.error())["message"] == "Too many connections"
            assert (await second.closed())[0] == 1013
    assert held_by() == {}


async def test_a_full_process_refuses_the_handshake_with_503(settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_PROCESS = 1
    async with talk() as first:
        await first.next("told")
        with pytest.raises(HandshakeRefused) as refused:
            async with talk():
                pass
        assert (refused.value.status, refused.value.headers["retry-after"]) == (503, "5")
    async with talk() as again:
        await again.next("told")


async def test_a_reader_that_is_too_slow_is_closed_with_4000(settings: Settings) -> None:
    settings.CHORUS_OUTBOX_BYTES = 100
    async with talk() as socket:
        await socket.next("told")
        for number in range(5):
            Talk.last.push(Frame(f"{number:<90}"))
        frames = [await socket.frame() for _ in range(2)]
        assert [str(frame).strip() for frame in frames] == ["0", "1"]
        assert await socket.closed() == (4000, "slow reader")


# The end.


async def test_a_bug_in_a_handler_closes_with_1011_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ask", what="a bug")
        assert await socket.closed() == (1011, "")
    assert Talk.last.happened == ["opened", "closed"]
    assert "ZeroDivisionError: oh" in caplog.text


async def test_a_bug_beside_the_loop_closes_too(caplog: pytest.LogCaptureFixture) -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ask", what="a bug beside")
        assert await socket.closed() == (1011, "")
    assert "ZeroDivisionError: oh" in caplog.text


async def test_a_bug_at_the_beginning_closes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Talk, "at_opening", ZeroDivisionError("oh"))
    async with talk() as socket:
        assert await socket.closed() == (1011, "")
    assert Talk.last.happened == ["opened", "closed"]


async def test_a_bug_in_the_clean_up_does_not_keep_a_socket_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Talk, "at_closing", ZeroDivisionError("oh"))
    async with talk() as socket:
        await socket.next("told")
    assert current_hub().sockets.total == 0
    assert held_by() == {}
    assert "clean-up failed" in caplog.text


async def test_what_is_refused_at_the_beginning_is_said_on_the_open_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Talk, "at_opening", Refused("invalid", "Bad name.", close=CloseCode.BAD_NAME))
    async with talk() as socket:
        assert await socket.error() == {"type": "error", "code": "invalid", "message": "Bad name."}
        assert await socket.closed() == (4500, "Bad name.")


async def test_storage_that_is_away_at_the_beginning_is_said_and_closed_with_1013(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Talk, "at_opening", db.Unavailable("away"))
    async with talk() as socket:
        assert (await socket.error())["code"] == "unavailable"
        assert (await socket.closed())[0] == 1013


async def test_a_handler_can_close() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ask", what="bye")
        assert await socket.closed() == (1000, "bye")


async def test_a_socket_can_be_closed_from_outside_once() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ask", what="end")
        assert await socket.closed() == (4503, "revoked")
        Talk.last.end(CloseCode.NO_SUCH_STREAM, "another reason")
        assert await socket.silent()


@pytest.mark.parametrize("reason", ["x" * 500, "ü" * 500, "🎉" * 500], ids=["ASCII", "two bytes", "four bytes"])
async def test_a_close_reason_is_cut_to_what_a_frame_holds(reason: str) -> None:
    async with talk() as socket:
        await socket.next("told")
        Talk.last.end(CloseCode.REVOKED, reason)
        sent = (await socket.closed())[1]
        assert 60 < len(sent.encode()) <= 123
        assert reason.startswith(sent)


async def test_a_cancelled_application_cleans_up(caplog: pytest.LogCaptureFixture) -> None:
    async with talk() as socket:
        await socket.next("told")
        socket.communicator.future.cancel()
        await asyncio.wait({socket.communicator.future})
        assert Talk.last.happened == ["opened", "closed"]
        assert current_hub().sockets.total == 0


async def test_a_server_that_raises_for_a_peer_that_is_gone_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    gone = False

    async def fragile(scope: Any, receive: Any, send: Any) -> None:
        async def send_if_there(message: Any) -> None:
            if gone:
                raise OSError("the peer is gone")
            await send(message)

        await APPLICATION(scope, receive, send_if_there)

    async with connect("/talk/", application=fragile) as socket:
        await socket.next("told")
        gone = True
        await socket.command("ask", what="hi")
        await socket.command("ask", what="bye")
    assert Talk.last.happened == ["opened", "closed"]
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


# A server that stops.


async def test_a_server_that_stops_finishes_what_is_under_way_and_says_when_to_come_back() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("store")
        await socket.communicator.send_input({"type": "chorus.shutdown"})
        await until(lambda: Talk.last.storing)
        assert await socket.silent()
        Talk.last.storing[0].set_result("stored")
        assert (await socket.event())["what"] == "stored"
        code, reason = await socket.closed()
        assert code == 1012
        assert 0.5 <= float(reason.removeprefix("retry_after=")) <= 5


async def test_a_server_that_stops_waits_for_no_login() -> None:
    async with talk("/members/") as socket:
        await socket.communicator.send_input({"type": "chorus.shutdown"})
        assert (await socket.closed())[0] == 1012


async def test_under_our_server_frames_are_written_ready_made() -> None:
    writer = Reader()
    async with talk(extensions={"chorus.frames": writer}) as socket:
        await socket.command("ask", what="hi")
        await until(lambda: len(writer.frames()) == 2)
        assert json.loads(writer.frames()[1]) == {"type": "told", "what": "hi"}
        assert writer.drains
        assert socket.communicator.output_queue.empty()


async def test_a_process_has_one_layer_channel_however_many_sockets(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.CountingLayer"}}
    CountingLayer.channels = 0
    async with talk() as one, talk() as two:
        await one.next("told")
        await two.next("told")
        assert get_channel_layer().channels == 1


class CountingLayer(RecordingLayer):
    """Counts the channels that are made."""

    channels = 0

    async def new_channel(self, prefix: str = "specific.") -> str:
        type(self).channels += 1
        return await super().new_channel(prefix)


# Log lines.


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "chorus.socket"]


@in_threads
async def test_a_socket_is_two_lines_in_the_log(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "chorus"):
        async with talk(user=alice, client=("192.0.2.1", 1)) as socket:
            await socket.next("told")
    connected, closed = lines(caplog)
    facts = {"route": "/talk/", "who": "alice", "address": "192.0.2.1"}
    assert connected.getMessage() == "connect route=/talk/ who=alice address=192.0.2.1"
    assert facts.items() <= vars(connected).items()
    assert facts.items() <= vars(closed).items()
    assert vars(closed)["code"] == 1001
    assert 0 <= vars(closed)["seconds"] < 5
    assert closed.getMessage().startswith("close route=/talk/ who=alice address=192.0.2.1 seconds=")
    assert closed.getMessage().endswith("code=1001")


async def test_the_code_in_the_log_is_ours_where_we_closed(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "chorus"):
        async with talk(secret="wrong") as socket:
            await socket.next("auth")
            await socket.closed()
    assert [vars(record).get("code") for record in lines(caplog)] == [None, None, 1008]


async def test_no_address_forges_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "chorus"):
        with pytest.raises(HandshakeRefused):
            async with connect("/ws/x%0Aclose%20route=/forged/%1b[31m"):
                pass
        async with connect("/ws/chat/x%0Aforged/") as socket:
            assert (await socket.error())["code"] == "invalid"
    assert len(lines(caplog)) >= 3
    assert not any(character in record.getMessage() for record in lines(caplog) for character in "\n\x1b")
