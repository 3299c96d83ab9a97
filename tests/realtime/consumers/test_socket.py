"""A socket's life, from its handshake to an end at which everything is tidied up."""

import asyncio
import json

import pytest
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from pytest_django import Settings

from realtime.hub.hub import current_hub
from realtime.rates import GUESTS_TOGETHER
from realtime.testing import HandshakeRefused, until
from tests.realtime.consumers.talk import APPLICATION, Talk, held_by, talk
from tests.realtime.hub.reader import Reader
from tests.realtime.layers import RecordingLayer

in_threads = pytest.mark.django_db(transaction=True)


# Frames.


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


# Limits.


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


@in_threads
async def test_a_person_s_rate_is_of_all_their_sockets(alice: User, bob: User, settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 2, 0.1
    async with talk(user=alice) as one, talk(user=alice) as two, talk(user=bob) as other:
        for socket in (one, two, two, other):
            await socket.command("ask", what="hi")
        await two.next("told", what="hi")
        assert (await two.error())["code"] == "rate_limited"
        await other.next("told", what="hi")


@in_threads
async def test_coming_back_fills_nobody_s_bucket(alice: User, settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 1, 0.1
    async with talk(user=alice) as socket:
        await socket.command("ask", what="hi")
        await socket.next("told", what="hi")
    async with talk(user=alice) as socket:
        await socket.next("told")
        await socket.command("ask", what="hi")
        assert (await socket.error())["code"] == "rate_limited"


async def test_guests_of_one_network_have_no_more_than_ten_people(settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 1, 0.01
    for number in range(GUESTS_TOGETHER + 1):
        async with talk(client=(f"2001:db8::{number + 1}", 1)) as socket:
            await socket.next("told")
            await socket.command("ask", what="hi")
            last = await socket.event()
    assert last["message"].startswith("Too many messages from this network")


async def test_a_long_frame_counts_as_several(settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 4, 0.1
    async with talk() as socket:
        await socket.next("told")
        await socket.send("x" * 8192 * 4)
        assert (await socket.error())["code"] == "bad_json"
        await socket.command("ask", what="hi")
        assert (await socket.error())["code"] == "rate_limited"


# The end.


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


async def test_a_cancelled_application_cleans_up(caplog: pytest.LogCaptureFixture) -> None:
    async with talk() as socket:
        await socket.next("told")
        socket.communicator.future.cancel()
        await asyncio.wait({socket.communicator.future})
        assert Talk.last.happened == ["opened", "closed"]
        assert current_hub().sockets.total == 0


# A server that stops.


async def test_a_server_that_stops_finishes_what_is_under_way_and_says_when_to_come_back() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("store")
        await until(lambda: Talk.last.storing)
        stopping = asyncio.create_task(Talk.last.stop())
        assert await socket.silent()
        Talk.last.storing[0].set_result("stored")
        assert (await socket.event())["what"] == "stored"
        await stopping
        code, reason = await socket.closed()
        assert code == 1012
        assert 0.5 <= float(reason.removeprefix("retry_after=")) <= 5


async def test_under_our_server_frames_are_written_ready_made_by_who_took_the_connection_over() -> None:
    reader = Reader()
    async with talk(extensions={"chorus.connection": reader}) as socket:
        await until(lambda: reader.handler is not None)
        await reader.handler.take('{"action": "ask", "what": "hi"}')
        await until(lambda: len(reader.frames()) == 2)
        assert json.loads(reader.frames()[1]) == {"type": "told", "what": "hi"}
        assert socket.communicator.output_queue.empty()
        reader.handler.ended(1000, "")


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


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["chorus.v1"], "chorus.v1"), (["mqtt", "chorus.v1"], "chorus.v1"), (["mqtt"], None), ([], None)],
)
async def test_a_client_that_offers_our_subprotocol_gets_it(offered: list[str], chosen: str | None) -> None:
    communicator = WebsocketCommunicator(APPLICATION, "/talk/", [(b"host", b"testserver")], offered)
    assert await communicator.connect() == (True, chosen)
    await communicator.disconnect()
