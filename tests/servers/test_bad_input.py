"""Whatever a client says in a room gets the documented answer, and the room goes on."""

import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.processes import Server
from tests.servers.clients import bearer, closed, member


def send(text: Any, **more: Any) -> str:
    return json.dumps({"action": "send", "text": text, **more})


REFUSED = {
    "half an object": ('{"action": "send"', "bad_json"),
    "a trailing comma": ('{"action": "typing",}', "bad_json"),
    "two objects": ('{"action": "typing"}{"action": "typing"}', "bad_json"),
    "single quotes": ("{'action': 'typing'}", "bad_json"),
    "a thousand levels": ('{"action":' * 1000 + "1" + "}" * 1000, "bad_json"),
    "twenty thousand levels": ('{"a":' * 20_000, "bad_json"),
    "lists of lists": ('{"a":' + "[" * 100_000, "bad_json"),
    "a lone surrogate": ('{"action": "send", "text": "\\ud800"}', "bad_json"),
    "a lone surrogate in a key": ('{"\\udfff": 1}', "bad_json"),
    "NaN": ('{"action": "history", "limit": NaN}', "bad_json"),
    "an endless number": ('{"action": "delete", "seq": 1' + "0" * 5000 + "}", "bad_json"),
    "no action": ("{}", "unsupported_action"),
    "an unknown action": ('{"action": "fly"}', "unsupported_action"),
    "a method's name": ('{"action": "on_text"}', "unsupported_action"),
    "an action that is a number": ('{"action": 5}', "unsupported_action"),
    "an action that is a list": ('{"action": ["send"]}', "unsupported_action"),
    "no text": ('{"action": "send"}', "invalid"),
    "a text that is a number": (send(5), "invalid"),
    "a text that is null": (send(None), "invalid"),
    "a text that is an object": (send({"a": 1}), "invalid"),
    "an empty text": (send(""), "invalid"),
    "an empty frame": ("", "invalid"),
    "NUL": (send("a\0b"), "invalid"),
    "NUL in bare text": ("a\0b", "invalid"),
    "an escape sequence": (send("\x1b[2J"), "invalid"),
    "an escape sequence in bare text": ("\x1b[2J", "invalid"),
    "DEL and C1 controls": (send("a\x7fb\x9bc"), "invalid"),
    "10,001 characters": (send("x" * 10_001), "too_long"),
    "10,001 characters of bare text": ("x" * 10_001, "too_long"),
    "an id that is a number": (send("hi", id=5), "invalid"),
    "an empty id": (send("hi", id=""), "invalid"),
    "an id of 65 characters": (send("hi", id="i" * 65), "invalid"),
    "an id with NUL": (send("hi", id="a\0"), "invalid"),
    "a position that is a text": ('{"action": "delete", "seq": "1"}', "invalid"),
    "a position that is true": ('{"action": "delete", "seq": true}', "invalid"),
    "a position that is a fraction": ('{"action": "delete", "seq": 1.5}', "invalid"),
    "position 0": ('{"action": "delete", "seq": 0}', "invalid"),
    "a position beyond 64 bits": ('{"action": "delete", "seq": 9223372036854775808}', "invalid"),
    "a position beyond the last": ('{"action": "delete", "seq": 9223372036854775807}', "not_found"),
    "history of nothing": ('{"action": "history", "limit": 0}', "invalid"),
    "too much history": ('{"action": "history", "limit": 301}', "invalid"),
    "history before minus one": ('{"action": "history", "before": -1}', "invalid"),
}


@pytest.mark.parametrize(("frame", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_wrong_frame_is_answered_with_its_error_and_the_room_goes_on(
    server: Server, frame: str, code: str
) -> None:
    async with member(server, room="bad-input") as guest:
        await guest.socket.send(frame)
        error = await guest.next("error")
        assert error["code"] == code
        assert error["message"]
        assert len(json.dumps(error)) < 1000, "an error does not repeat what was wrong with it at length"
        await guest.say("still here")


async def test_an_error_names_the_field_and_repeats_the_id(server: Server) -> None:
    async with member(server, room="bad-input") as guest:
        await guest.send("send", text=5, id="my-id")
        error = await guest.next("error")
        assert (error["id"], list(error["fields"])) == ("my-id", ["text"])


UNUSUAL = ["tab\tand\r\nlines", "\u202eright to left", "e\u0301\u200d🏳️\u200d🌈", "\ufffe\U0010ffff"]


@pytest.mark.parametrize("text", UNUSUAL)
async def test_any_other_text_comes_back_as_it_was(server: Server, text: str) -> None:
    async with member(server, room="bad-input") as guest:
        assert (await guest.say(text))["message"] == text


async def test_a_used_id_with_another_text_is_a_conflict(server: Server) -> None:
    async with member(server, room="bad-input") as guest:
        await guest.say("first", "same-id")
        await guest.send("send", text="second", id="same-id")
        assert (await guest.next("error", id="same-id"))["code"] == "id_conflict"


async def test_nobody_deletes_what_another_said(server: Server) -> None:
    async with member(server, "alice", "bad-input") as alice, member(server, "bob", "bad-input") as bob:
        said = await alice.say("mine")
        await bob.send("delete", seq=said["seq"], id="1")
        assert (await bob.next("error", id="1"))["code"] == "forbidden"


async def test_binary_in_a_room_closes_with_1003(server: Server) -> None:
    async with member(server, room="bad-input") as guest:
        await guest.socket.send(b"\x00\x01")
        assert (await closed(guest.socket))[0] == 1003


async def test_too_many_commands_are_refused_and_in_the_end_closed_with_4003(server: Server) -> None:
    async with member(server, room="bad-input") as guest:
        for _ in range(100):
            await guest.send("nothing")
        refused = await guest.next("error", code="rate_limited")
        assert 0 < refused["retry_after"] <= 0.05
        assert (await closed(guest.socket))[0] == 4003


@pytest.mark.parametrize("token", ["5", "null", "[]", '"\\u0000"', '"chorus_"', f'"{"x" * 5000}"'])
async def test_a_token_that_cannot_be_one_is_refused(server: Server, token: str) -> None:
    async with connect(f"{server.ws}/ws/secure-echo/") as socket:
        await socket.send(f'{{"token": {token}}}')
        assert json.loads(await socket.recv())["message"] == "Invalid token"
        assert await closed(socket) == (1008, "Authentication failed")


BAD_NAMES = ["bad%20name", "-lobby", ".", "..", "a%00", "a%0A", "%C3%BC", "%ff", "a+b", "%252e", "a" * 65]


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_a_name_that_no_room_can_have_is_told_and_closed_with_4500(server: Server, name: str) -> None:
    async with connect(f"{server.ws}/ws/chat/{name}/") as socket:
        error = json.loads(await socket.recv())
        assert (error["type"], error["code"]) == ("error", "invalid")
        assert (await closed(socket))[0] == 4500


async def test_names_are_lower_cased(server: Server) -> None:
    async with member(server, room="Bad-INPUT") as guest:
        assert guest.joined["room"] == "bad-input"


@pytest.mark.parametrize("since", ["x", "-1", "1.5", "9" * 19, "%D9%A3", ""])
async def test_a_position_that_is_none_is_told(server: Server, since: str) -> None:
    async with connect(f"{server.ws}/ws/chat/bad-input/?since={since}&epoch=x") as socket:
        error = json.loads(await socket.recv())
        assert (error["code"], list(error["fields"])) == ("invalid", ["since"])
        assert (await closed(socket))[0] == 1008


@pytest.mark.parametrize("every", ["0", "-1", "nan", "inf", "x", "1e9", ""])
async def test_an_interval_that_is_none_is_told(server: Server, every: str) -> None:
    async with connect(f"{server.ws}/ws/time/?every={every}") as socket:
        assert str(await socket.recv()).startswith("Error: every")
        assert (await closed(socket))[0] == 1008


async def test_a_prefix_of_101_characters_is_told(server: Server) -> None:
    async with connect(f"{server.ws}/ws/echo/?prefix={'x' * 101}") as socket:
        assert await socket.recv() == "Error: Prefix too long (max 100 chars)"
        assert (await closed(socket))[0] == 1008


@pytest.mark.parametrize("path", ["/", "/nothing/", "/chat/", "/chat/a/b/", "/chat/a%2Fb/", "/echo//"])
async def test_an_unknown_route_is_a_404(server: Server, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{server.ws}/ws{path}").__aenter__()
    assert refused.value.response.status_code == 404


@pytest.mark.parametrize("route", ["relay", "secure-echo", "greet"])
async def test_binary_where_text_is_spoken_is_told(server: Server, route: str) -> None:
    async with connect(f"{server.ws}/ws/{route}/", additional_headers=bearer("alice")) as socket:
        await socket.send(b"\x00")
        assert await socket.recv() == "Error: text only"
