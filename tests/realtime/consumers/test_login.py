"""Who speaks on a socket, and whom it counts for."""

import json
import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import re_path
from pytest_django import Settings

from accounts.credentials import Credentials
from accounts.models import Token
from accounts.secret import new_secret
from realtime import db
from realtime.asgi import websocket_application
from realtime.hub.hub import current_hub
from realtime.testing import connect
from tests.anonymous import anonymous
from tests.realtime.consumers.talk import Talk, held_by, talk

in_threads = pytest.mark.django_db(transaction=True)


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
        assert anonymous(await socket.event()) == {"type": "auth", "status": "error", "message": "Invalid token"}
        assert await socket.closed() == (1008, "Authentication failed")
    assert Talk.last.happened == ["closed"]


@in_threads
@pytest.mark.parametrize("extra", [{}, {"action": "auth"}, {"action": "auth", "id": "7"}])
async def test_a_login_may_be_waited_for_before_anything_else(secret: str, extra: dict[str, str]) -> None:
    async with talk("/talk/?login=message") as socket:
        assert await socket.silent()
        await socket.send(json.dumps({"token": secret, **extra}))
        assert anonymous(await socket.event()) == {"type": "auth", "status": "ok", "username": "alice"}
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
        assert anonymous(await socket.event()) == {
            "type": "auth",
            "status": "error",
            "message": "Authentication timeout",
        }
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
        assert anonymous(await socket.event()) == {"type": "auth", "status": "error", "message": "Invalid token"}
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
        assert anonymous(await socket.event()) == {"type": "auth", "status": "ok", "username": "alice"}
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
        assert anonymous(await socket.event()) == {"type": "auth", "status": "error", "message": "Invalid token"}
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


# Whom a socket counts for.


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


LEADS = ["\n", " ", "\ufeff", "\r\n\ufeff"]


@in_threads
@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("path", ["/talk/", "/talk/?login=message", "/members/"])
async def test_a_login_is_one_behind_a_blank_or_a_byte_order_mark_too(secret: str, path: str, lead: str) -> None:
    async with talk(path) as socket:
        await socket.send(lead + json.dumps({"token": secret}))
        assert (await socket.next("auth"))["username"] == "alice"


@pytest.mark.parametrize("credentials", [Credentials, lambda inner: inner])
async def test_a_guest_whom_nothing_keeps_has_an_id_without_the_database(credentials: Any) -> None:
    application = websocket_application([re_path(r"^talk/$", Talk.as_asgi())], credentials=credentials)
    async with connect("/talk/", application=application) as socket:
        await socket.event()
        assert len(Talk.last.identity.sender_id) == 16


@in_threads
async def test_who_comes_back_has_the_same_id(alice: User) -> None:
    ids = []
    for _ in range(2):
        async with talk(user=alice) as socket:
            await socket.event()
            ids.append(Talk.last.identity.sender_id)
    assert ids[0] == ids[1] != ""
