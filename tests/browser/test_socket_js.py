"""The browser's client (socket.js) against a server played by the test, for what a real one does rarely."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.browser.played import Json, Played, play, wait_for, wait_for_command

CONNECT = """
async (options) => {
  const { connect } = await import("/static/realtime/connection/socket.js");
  window.seen = [];
  window.statuses = [];
  window.socket = connect("/ws/played/", options ?? {});
  for (const type of ["joined", "replay", "chat", "error"]) socket.on(type, (event) => seen.push(event));
  socket.onStatus((status) => statuses.push(status));
}
"""


@pytest.fixture
def played(visit: Visit) -> tuple[Page, Played]:
    page, server = visit("/"), Played()
    play(page, server)
    return page, server


def chat(seq: int, **more: Any) -> Json:
    return {"type": "chat", "seq": seq, "sender": "bob", "message": f"m{seq}", **more}


def acknowledged(command: Json) -> Json:
    return chat(1, id=command["id"])


def refused(command: Json, code: str, **more: Any) -> Json:
    return {"type": "error", "code": code, "message": "not now", "id": command["id"], **more}


def joined(seq: int, messages: list[Json], *, recovered: bool = True, epoch: str = "e1") -> Json:
    about = {"type": "joined", "you": "alice", "seq": seq, "epoch": epoch, "recovered": recovered}
    return {**about, "messages": messages}


def send(page: Page, text: str) -> None:
    page.evaluate("text => { socket.send({ action: 'send', text }); }", text)


def status(page: Page) -> Json:
    found: Json = page.evaluate("socket.status")
    return found


def test_a_stream_is_resumed_where_it_was_and_nothing_shows_twice(played: tuple[Page, Played]) -> None:
    page, server = played
    server.greeting = [joined(2, [chat(1), chat(2)])]
    page.evaluate(CONNECT, {"stream": True})
    wait_for(page, "seen.length === 1")
    server.send(chat(3))
    server.send(chat(3))
    replay = {"type": "replay", "messages": [chat(5), chat(6)]}
    server.greeting = [joined(6, [chat(3), chat(4)]), replay, chat(6), chat(7)]
    server.close(1012, "retry_after=0.1")
    wait_for(page, "seen.at(-1).seq === 7")
    assert server.addresses[1].endswith("?since=3&epoch=e1")
    assert shown(page) == [*range(1, 8)]
    assert page.evaluate("seen.map(({ resumed }) => resumed).filter((told) => told !== undefined)") == [
        False,
        True,
    ]
    assert status(page)["text"] == "Back online. 3 missed messages caught up."


def shown(page: Page) -> Any:
    """The positions of all entries the page was given, in order."""
    return page.evaluate("seen.flatMap(({ messages, seq }) => messages?.map((m) => m.seq) ?? [seq])")


@pytest.mark.parametrize("recovered", [True, False])
def test_what_does_not_fit_into_the_first_frame_of_a_first_visit_is_shown_too(
    played: tuple[Page, Played], recovered: bool
) -> None:
    page, server = played
    replay = {"type": "replay", "messages": [chat(3), chat(4)]}
    server.greeting = [joined(4, [chat(1), chat(2)], recovered=recovered), replay, chat(5)]
    page.evaluate(CONNECT, {"stream": True})
    wait_for(page, "seen.at(-1)?.seq === 5")
    assert shown(page) == [1, 2, 3, 4, 5]
    assert status(page)["text"] == "Connected"


def test_what_comes_late_of_a_replay_is_shown_and_resumed_from(played: tuple[Page, Played]) -> None:
    page, server = played
    server.greeting = [joined(1, [chat(1)])]
    page.evaluate(CONNECT, {"stream": True})
    wait_for(page, "seen.length === 1")
    server.greeting = [joined(4, [chat(2)])]
    server.close(1012, "retry_after=0.1")
    wait_for(page, "socket.status.missed === 1")  # it no longer waits, and says what has come
    server.send({"type": "replay", "messages": [chat(3)]})
    wait_for(page, "seen.length === 3")
    assert shown(page) == [1, 2, 3]
    server.close(1012, "retry_after=0.1")
    wait_for(page, "seen.length === 4")
    assert server.addresses[2].endswith("?since=3&epoch=e1")


def test_an_emptied_history_is_resumed_where_it_stands(played: tuple[Page, Played]) -> None:
    page, server = played
    server.greeting = [joined(9, [], recovered=False)]
    page.evaluate(CONNECT, {"stream": True})
    wait_for(page, "socket.status.state === 'connected'")
    server.greeting = [joined(9, [])]
    server.close(1012, "retry_after=0.1")
    wait_for(page, "seen.length === 2")
    assert server.addresses[1].endswith("?since=9&epoch=e1")
    assert status(page)["text"] == "Back online. Nothing was missed."


def test_a_reset_history_starts_anew(played: tuple[Page, Played]) -> None:
    page, server = played
    server.greeting = [joined(9, [chat(9)])]
    page.evaluate(CONNECT, {"stream": True})
    wait_for(page, "seen.length === 1")
    server.send(joined(1, [chat(1)], recovered=False, epoch="e2"))
    wait_for(page, "seen.length === 2")
    assert page.evaluate("seen[1].resumed") is False
    assert page.evaluate("seen[1].messages.length") == 1
    assert status(page)["text"].startswith("Back online. Not everything could be caught up")


def test_unavailable_is_tried_again_with_the_same_id(played: tuple[Page, Played]) -> None:
    page, server = played
    server.answer = lambda command: (
        refused(command, "unavailable") if len(server.received) < 3 else acknowledged(command)
    )
    page.evaluate(CONNECT)
    send(page, "Hi")
    wait_for(page, "socket.pending.length === 0 && seen.some(({ type }) => type === 'chat')")
    assert len({command["id"] for command in server.received}) == 1
    assert len(server.received) == 3


def test_rate_limited_waits_as_long_as_it_was_told(played: tuple[Page, Played]) -> None:
    page, server = played
    server.answer = lambda command: (
        refused(command, "rate_limited", retry_after=0.5) if len(server.received) == 1 else acknowledged(command)
    )
    page.evaluate(CONNECT)
    wait_for(page, "socket.status.state === 'connected'")
    started = time.monotonic()
    page.evaluate("socket.send({ action: 'send', text: 'Hi' })")  # a promise that its acknowledgement resolves
    assert time.monotonic() - started >= 0.5


def test_what_was_not_acknowledged_goes_again_after_a_reconnect_in_order(played: tuple[Page, Played]) -> None:
    page, server = played
    page.evaluate(CONNECT)
    wait_for(page, "socket.status.state === 'connected'")
    for text in ("one", "two"):
        send(page, text)
    wait_for(page, "socket.pending.every(({ state }) => state === 'sent')")
    server.answer = acknowledged
    server.close(1011)
    send(page, "three")
    wait_for(page, "socket.pending.length === 0")
    assert [command["text"] for command in server.received] == ["one", "two", "one", "two", "three"]
    ids = [command["id"] for command in server.received]
    assert ids[:2] == ids[2:4]


def test_a_burst_stays_below_the_servers_limit(played: tuple[Page, Played]) -> None:
    page, server = played
    server.answer = acknowledged
    page.evaluate(CONNECT)
    wait_for(page, "socket.status.state === 'connected'")
    started = time.monotonic()
    page.evaluate("Promise.all(Array.from({ length: 70 }, () => socket.send({ action: 'send', text: 'Hi' })))")
    assert len(server.received) == 70
    assert time.monotonic() - started > 1.5  # 40 at once, 15 per second after


@pytest.mark.parametrize(
    ("command", "cost"),
    [
        ("{ action: 'history' }", 5),
        ("{ action: 'subscribe', topics: Array(32).fill('a') }", 5),
        ("{ action: 'send', text: 'ü'.repeat(20480) }", 5),
    ],
)
def test_what_costs_more_is_sent_less_often(command: str, cost: int, played: tuple[Page, Played]) -> None:
    page, server = played
    server.answer = acknowledged
    page.evaluate(CONNECT)
    wait_for(page, "socket.status.state === 'connected'")
    started = time.monotonic()
    page.evaluate(f"Promise.all(Array.from({{ length: 13 }}, () => socket.send({command})))")
    assert len(server.received) == 13
    assert time.monotonic() - started > (12 * cost - 40) / 15  # seconds until there is room for the last


def test_a_token_is_the_first_message(played: tuple[Page, Played]) -> None:
    page, server = played
    page.evaluate(CONNECT, {"token": "chorus_secret"})
    send(page, "Hi")
    wait_for_command(page, server)
    assert server.received == [{"token": "chorus_secret"}]
    assert server.addresses[0].endswith("?login=message")
    assert page.evaluate("socket.pending[0].state") == "waiting"
    server.send({"type": "auth", "status": "ok", "username": "alice"})
    wait_for(page, "socket.pending[0].state === 'sent'")


COMES_BACK = (1001, 1006, 1011, 1012, 1013, 4000, 4003, 4499)
STAYS_AWAY = (1000, 1003, 1008, 1009, 4500, 4503, 4506, 4999)


def test_a_close_code_says_whether_to_come_back(visit: Visit) -> None:
    page = visit("/")
    ask = "async (codes) => codes.filter((await import('/static/realtime/connection/closing.js')).comesBack)"
    assert page.evaluate(ask, [*COMES_BACK, *STAYS_AWAY]) == [*COMES_BACK]


def test_a_final_close_is_told_and_fails_what_was_pending(played: tuple[Page, Played]) -> None:
    page, server = played
    server.greeting = [{"type": "error", "code": "forbidden", "message": "Guests may not read here."}]
    page.evaluate(CONNECT, {"stream": True})
    send(page, "Hi")
    wait_for(page, "seen.length === 1")
    server.close(4506)
    wait_for(page, "socket.pending[0].state === 'failed'")
    assert page.evaluate("socket.pending[0].error.code") == "closed"
    assert status(page)["text"] == "Disconnected: Guests may not read here."
    assert len(server.addresses) == 1


def test_who_was_disconnected_is_told_by_whom(played: tuple[Page, Played]) -> None:
    page, server = played
    page.evaluate(CONNECT)
    wait_for(page, "socket.status.state === 'connected'")
    server.close(4503, "a moderator ended your connection")
    wait_for(page, "socket.status.state === 'stopped'")
    assert status(page)["text"] == "Disconnected: a moderator ended your connection."


def test_back_off_has_full_jitter_up_to_20_s(visit: Visit) -> None:
    page = visit("/")
    draw = "async attempt => { const { backOff } = await import('/static/realtime/connection/connection.js');"
    draw += " return Array.from({ length: 2000 }, () => backOff(attempt)); }"
    for attempt, ceiling in ((0, 0.5), (1, 1), (3, 4), (20, 20)):
        drawn = page.evaluate(draw, attempt)
        assert 0 <= min(drawn) < ceiling * 0.05
        assert ceiling * 0.95 < max(drawn) <= ceiling


def test_ids_are_uuids_also_without_a_secure_context(visit: Visit) -> None:
    page = visit("/")
    page.evaluate("Object.defineProperty(crypto, 'randomUUID', { value: undefined })")
    made = page.evaluate("async () => (await import('/static/realtime/connection/socket.js')).uuid()")
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made)


def test_a_server_that_no_longer_answers_is_left(played: tuple[Page, Played]) -> None:
    page, server = played
    page.clock.install()
    page.evaluate(CONNECT)
    send(page, "Hi")
    wait_for_command(page, server)
    page.clock.run_for(13_000)
    wait_for_command(page, server, count=2)
    assert len(server.addresses) == 2
    assert [command["text"] for command in server.received] == ["Hi", "Hi"]


def test_going_online_tries_at_once(played: tuple[Page, Played]) -> None:
    page, server = played
    page.evaluate(CONNECT)
    wait_for(page, "socket.status.state === 'connected'")
    server.close(1012, "retry_after=200")
    wait_for(page, "socket.status.state === 'waiting'")
    assert "Trying again in 20" in status(page)["text"]
    page.evaluate("dispatchEvent(new Event('online'))")
    wait_for(page, "socket.status.state === 'connected'")
