"""Clients written for the simplest tutorials work with only their address changed."""

import asyncio
import json
import ssl
from datetime import datetime
from pathlib import Path

from websockets.asyncio.client import connect

from tests.processes import TOKENS, Server, manage, serve
from tests.servers.clients import bearer, closed, log_in_with_browser


async def test_hello_comes_back_from_echo(server: Server) -> None:
    async with connect(f"{server.ws}/ws/echo/") as ws:
        await ws.send("Hello")
        assert await ws.recv() == "Hello"


async def test_echo_puts_the_prefix_before_text(server: Server) -> None:
    async with connect(f"{server.ws}/ws/echo/?prefix=Echo:%20") as ws:
        await ws.send("Hello")
        assert await ws.recv() == "Echo: Hello"


async def test_echo_keeps_text_binary_and_empty_frames_as_they_were(server: Server) -> None:
    async with connect(f"{server.ws}/ws/echo") as ws:
        for frame in ("Grüße, 世界 🎉", b"\x00\xff", "", b"", "x" * 10_000):
            await ws.send(frame)
            assert await ws.recv() == frame


async def test_a_text_of_10001_characters_is_refused_and_the_socket_stays_open(server: Server) -> None:
    async with connect(f"{server.ws}/ws/echo/") as ws:
        await ws.send("x" * 10_001)
        assert await ws.recv() == "Error: Message too long (max 10000 chars)"
        await ws.send("shorter")
        assert await ws.recv() == "shorter"


async def test_greet_says_hello_once_and_closes(server: Server) -> None:
    async with connect(f"{server.ws}/ws/greet/") as ws:
        await ws.send("Ada")
        assert await ws.recv() == "Hello Ada!"
        assert await closed(ws) == (1000, "")


async def test_greet_over_wss_for_a_client_that_trusts_the_certificate_of_make_cert(tmp_path: Path) -> None:
    manage("make_cert", env={}, data_dir=tmp_path)
    certificate = tmp_path / "localhost.pem"
    trusting = ssl.create_default_context(cafile=certificate)
    with serve(data_dir=tmp_path, tls_cert=certificate) as server:
        for host in ("localhost", "127.0.0.1"):
            async with connect(f"wss://{host}:{server.port}/ws/greet/", ssl=trusting) as ws:
                await ws.send("Ada")
                assert await ws.recv() == "Hello Ada!"
                assert await closed(ws) == (1000, "")


async def test_time_comes_at_once_and_goes_on(server: Server) -> None:
    async with connect(f"{server.ws}/ws/time/?every=0.1") as ws:
        times = [str(await ws.recv()) for _ in range(3)]
    assert all(text.endswith("Z") for text in times)
    assert sorted(times, key=datetime.fromisoformat) == times


async def test_each_of_three_gets_every_broadcast_the_sender_too(server: Server) -> None:
    address = f"{server.ws}/ws/broadcast/"
    async with connect(address) as one, connect(address) as two, connect(address) as three:
        await one.send("from one")
        assert [await ws.recv() for ws in (one, two, three)] == ["from one"] * 3
        await three.send(b"from three")
        assert [await ws.recv() for ws in (one, two, three)] == [b"from three"] * 3


async def test_relay_goes_to_the_other_only(server: Server) -> None:
    address = f"{server.ws}/ws/relay/"
    async with connect(address) as one, connect(address) as two:
        await one.send("hi")
        assert await two.recv() == "Someone said: hi"
        await two.send("hi yourself")
        assert await one.recv() == "Someone said: hi yourself"  # and nothing of its own came before


async def test_bare_text_in_a_room_comes_back_as_json(server: Server) -> None:
    async with connect(f"{server.ws}/ws/chat/tutorial/", additional_headers=bearer("alice")) as ws:
        assert json.loads(await ws.recv())["type"] == "joined"
        await ws.send("Hello, room")
        said = json.loads(await ws.recv())
    assert (said["type"], said["sender"], said["message"]) == ("chat", "alice", "Hello, room")
    assert datetime.fromisoformat(said["timestamp"]).utcoffset() is not None


async def test_a_room_tells_who_joins_and_leaves(server: Server) -> None:
    address = f"{server.ws}/ws/chat/doors/"
    async with connect(address, additional_headers=bearer("alice")) as ws:
        await ws.recv()
        async with connect(address, additional_headers=bearer("bob")):
            joined = json.loads(await ws.recv())
        left = json.loads(await ws.recv())
    assert (joined["type"], joined["message"]) == ("system", "bob joined the chat")
    assert joined["users"]["count"] == 2
    assert (left["type"], left["message"]) == ("system", "bob left the chat")
    assert left["users"]["count"] == 1


async def test_with_plain_the_first_frame_after_sending_is_the_own_message(server: Server) -> None:
    address = f"{server.ws}/ws/chat/lines/?plain=1"
    async with connect(address) as earlier:
        await earlier.send("history that a line-by-line client does not want")
        await earlier.recv()
    async with connect(address) as ws:
        await ws.send("Hi")
        said = json.loads(await ws.recv())
    assert (said["type"], said["message"]) == ("chat", "Hi")


async def test_a_token_as_first_message_logs_in(server: Server) -> None:
    async with connect(f"{server.ws}/ws/secure-echo/") as ws:
        await ws.send(json.dumps({"token": TOKENS["alice"]}))
        assert json.loads(await ws.recv()) == {"type": "auth", "status": "ok", "username": "alice"}
        await ws.send("hi")
        assert await ws.recv() == "[alice] hi"


async def test_a_wrong_token_is_told_so_and_closed(server: Server) -> None:
    async with connect(f"{server.ws}/ws/secure-echo/") as ws:
        await ws.send(json.dumps({"token": "wrong"}))
        assert json.loads(await ws.recv()) == {"type": "auth", "status": "error", "message": "Invalid token"}
        assert await closed(ws) == (1008, "Authentication failed")


async def test_silence_instead_of_a_login_is_told_so_and_closed(server: Server) -> None:
    async with connect(f"{server.ws}/ws/secure-echo/") as ws:
        told = json.loads(await ws.recv())
        assert told == {"type": "auth", "status": "error", "message": "Authentication timeout"}
        assert await closed(ws) == (1008, "Authentication failed")


async def test_a_bearer_token_in_the_handshake_needs_no_message(server: Server) -> None:
    async with connect(f"{server.ws}/ws/secure-echo/", additional_headers=bearer("alice")) as ws:
        await ws.send("hi")
        assert await ws.recv() == "[alice] hi"


async def test_the_cookie_of_the_login_page_opens_sockets(server: Server) -> None:
    cookie = await asyncio.to_thread(log_in_with_browser, server, "alice")
    headers = {"Cookie": cookie, "Origin": server.http}
    async with connect(f"{server.ws}/ws/secure-echo/", additional_headers=headers) as ws:
        await ws.send("hi")
        assert await ws.recv() == "[alice] hi"


async def test_lines_of_an_interactive_client_are_answered_one_by_one(server: Server) -> None:
    lines = ["first line", "", "{looks like json", "last line"]
    async with connect(f"{server.ws}/ws/echo/?prefix=>%20") as ws:
        for line in lines:
            await ws.send(line)
            assert await ws.recv() == f"> {line}"
