"""What a socket is sent, and how it ends."""

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from realtime import db
from realtime.hub.outbox import Frame
from realtime.protocol import CloseCode, Refused
from realtime.testing import HandshakeRefused, connect
from tests.realtime.consumers.talk import APPLICATION, Talk, talk

in_threads = pytest.mark.django_db(transaction=True)


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


async def test_a_reader_that_is_too_slow_is_closed_with_4000(settings: Settings) -> None:
    settings.CHORUS_OUTBOX_BYTES = 100
    async with talk() as socket:
        await socket.next("told")
        for number in range(5):
            Talk.last.push(Frame(f"{number:<90}"))
        frames = [await socket.frame() for _ in range(2)]
        assert [str(frame).strip() for frame in frames] == ["0", "1"]
        assert await socket.closed() == (4000, "slow reader")


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
