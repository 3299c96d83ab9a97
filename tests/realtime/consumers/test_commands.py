"""Typed commands go to their methods, and are answered in their order."""

import asyncio

import pytest
from pytest_django import Settings

from realtime import db
from realtime.consumers.commands import IN_FLIGHT
from realtime.protocol import Refused
from realtime.rates import PING_BURST, STRIKES
from realtime.testing import until
from tests.realtime.consumers.talk import Talk, talk

in_threads = pytest.mark.django_db(transaction=True)


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


@pytest.mark.parametrize("frame", ["hello", "", "[1]", "{", '{"action":"ask"', " {"])
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


# How many.


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


@pytest.mark.parametrize("lead", ["\n", " ", "\ufeff"])
async def test_a_command_is_one_behind_a_blank_or_a_byte_order_mark_too(lead: str) -> None:
    async with talk() as socket:
        await socket.event()
        await socket.send(lead + '{"action": "ask", "what": "time", "id": "7"}')
        assert await socket.event() == {"type": "told", "what": "time", "id": "7"}


# Pings.


async def test_a_ping_is_answered_with_its_id() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ping", id="7")
        assert await socket.event() == {"type": "pong", "id": "7"}
        await socket.command("ping")
        assert await socket.event() == {"type": "pong"}
        await socket.send('\n{"action": "ping"}')
        assert await socket.event() == {"type": "pong"}


async def test_pings_are_not_counted_as_commands(settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 1, 0.1
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ask", what="hi")
        assert (await socket.event())["what"] == "hi"
        for _ in range(5):
            await socket.command("ping")
            assert await socket.event() == {"type": "pong"}


async def test_a_ping_is_answered_while_commands_wait_for_their_commit() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("store")
        await socket.command("ping")
        assert await socket.event() == {"type": "pong"}
        Talk.last.storing[0].set_result("stored")
        assert (await socket.event())["what"] == "stored"


async def test_too_many_pings_are_refused_whatever_is_set(settings: Settings) -> None:
    settings.CHORUS_COMMAND_RATE = 0
    async with talk() as socket:
        await socket.next("told")
        for number in range(PING_BURST + STRIKES):
            await socket.command("ping", id=str(number))
        assert {(await socket.event())["type"] for _ in range(PING_BURST)} == {"pong"}
        error = await socket.error()
        assert (error["code"], error["id"]) == ("rate_limited", str(PING_BURST))
        assert error["message"] == "Too many pings (max 5 per second)"
        assert (await socket.ended())[0] == 4003


async def test_a_ping_is_one_however_it_is_spelled() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.send('{"action": "\\u0070ing", "id": "7"}')
        assert await socket.event() == {"type": "pong", "id": "7"}


@pytest.mark.parametrize("id", ["", "x" * 65, "x" * 5000, 7])
async def test_a_ping_whose_id_is_wrong_is_told_so(id: object) -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ping", id=id)
        error = await socket.error()
        assert (error["code"], list(error["fields"])) == ("invalid", ["id"])


async def test_what_only_speaks_of_a_ping_is_no_ping() -> None:
    async with talk() as socket:
        await socket.next("told")
        await socket.command("ask", what="ping")
        assert (await socket.event())["what"] == "ping"
        await socket.send('{"action": "ping"')
        assert (await socket.error())["code"] == "bad_json"


@in_threads
async def test_a_ping_is_answered_before_the_login_too() -> None:
    async with talk("/talk/?login=message") as socket:
        await socket.command("ping", id="7")
        assert await socket.event() == {"type": "pong", "id": "7"}
        await socket.send('{"token": "chorus_bad"}')
        assert (await socket.event())["type"] == "auth"
