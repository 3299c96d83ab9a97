"""How the browser's client finds out that nobody answers any more (liveness.js, waking.js), against a played server."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.browser.played import Played, play, wait_for, wait_for_command, wait_for_ping
from tests.browser.test_socket_js import CONNECT, acknowledged, chat, joined, send, shown

WAKE = {
    "online": "dispatchEvent(new Event('online'))",
    "pageshow": "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))",
    "visibilitychange": "document.dispatchEvent(new Event('visibilitychange'))",
}
SAID = "statuses.map(({ text }) => text)"
CONNECTED = ["Connecting…", "Connecting…", "Connected"]
NO_ANSWER = "The server does not answer. Trying again in 1 s."


@pytest.fixture
def live(visit: Visit) -> tuple[Page, Played]:
    """A page that follows a stream, with a clock that a test moves."""
    page, server = visit("/"), Played()
    play(page, server)
    page.clock.install()
    server.greeting = [joined(1, [chat(1)])]
    page.evaluate(CONNECT, {"stream": True})
    wait_for(page, "socket.status.state === 'connected'")
    return page, server


def test_20_s_of_silence_are_asked_about_and_an_answer_will_do(live: tuple[Page, Played]) -> None:
    page, server = live
    page.clock.run_for(15_000)
    assert server.pings == 0
    page.clock.run_for(5_100)
    wait_for_ping(page, server)
    page.wait_for_timeout(100)
    page.clock.run_for(15_000)
    assert (server.pings, len(server.addresses)) == (1, 1)
    assert page.evaluate(SAID) == CONNECTED
    page.clock.run_for(10_000)
    wait_for_ping(page, server, count=2)


def test_whatever_comes_breaks_the_silence(live: tuple[Page, Played]) -> None:
    page, server = live
    page.clock.run_for(15_000)
    server.send(chat(2))
    wait_for(page, "seen.length === 2")
    page.clock.run_for(15_000)
    assert server.pings == 0
    page.clock.run_for(5_100)
    wait_for_ping(page, server)


def test_without_an_answer_in_5_s_it_says_so_and_a_new_socket_resumes(live: tuple[Page, Played]) -> None:
    page, server = live
    server.deaf = True
    page.clock.run_for(20_100)
    wait_for_ping(page, server)
    page.clock.run_for(4_000)
    assert len(server.addresses) == 1
    server.greeting = [joined(2, [chat(2)])]
    page.clock.run_for(2_000)
    wait_for(page, "seen.length === 2")
    assert server.addresses[1].endswith("?since=1&epoch=e1")
    assert page.evaluate(SAID)[3:] == [NO_ANSWER, "Connecting…", "Back online. 1 missed message caught up."]
    assert shown(page) == [1, 2]


def test_a_refusal_is_an_answer_and_told_to_nobody(live: tuple[Page, Played]) -> None:
    page, server = live
    server.deaf = True
    page.clock.run_for(20_100)
    wait_for_ping(page, server)
    server.send({"type": "error", "code": "unsupported_action", "message": "Unknown action", "id": "ping"})
    page.wait_for_timeout(100)
    page.clock.run_for(10_000)
    assert len(server.addresses) == 1
    assert page.evaluate("seen.length") == 1


@pytest.mark.parametrize("event", WAKE)
def test_it_asks_at_once_when_it_wakes(live: tuple[Page, Played], event: str) -> None:
    page, server = live
    server.deaf = True
    page.evaluate(WAKE[event])
    wait_for_ping(page, server)
    page.evaluate(WAKE[event])  # one question at a time
    page.clock.run_for(6_000)
    wait_for(page, "statuses.at(-1).state === 'connected' && statuses.length > 4")
    assert (server.pings, len(server.addresses)) == (1, 2)
    assert NO_ANSWER in page.evaluate(SAID)


def test_a_page_that_is_hidden_is_not_woken(live: tuple[Page, Played]) -> None:
    page, server = live
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.evaluate(WAKE["visibilitychange"])
    page.evaluate("delete document.hidden")
    assert server.pings == 0
    page.evaluate(WAKE["visibilitychange"])
    wait_for_ping(page, server)


def test_timers_that_fire_late_show_a_sleep(live: tuple[Page, Played]) -> None:
    page, server = live
    page.clock.fast_forward(15_000)
    wait_for_ping(page, server)
    assert len(server.addresses) == 1


def test_after_a_sleep_an_answer_that_is_late_is_asked_for_once_more(live: tuple[Page, Played]) -> None:
    page, server = live
    server.deaf = True
    page.clock.run_for(20_100)
    wait_for_ping(page, server)
    page.clock.fast_forward(3_600_000)
    wait_for_ping(page, server, count=2)
    assert len(server.addresses) == 1
    page.clock.run_for(6_000)
    wait_for(page, "statuses.at(-1).state === 'connected' && statuses.length > 4")
    assert len(server.addresses) == 2


def test_being_offline_is_said_at_once_and_online_resumes(live: tuple[Page, Played]) -> None:
    page, server = live
    page.evaluate("dispatchEvent(new Event('offline'))")
    assert page.evaluate(SAID)[3:] == ["Offline. Trying again in 1 s."]
    page.evaluate(WAKE["online"])
    wait_for(page, "socket.status.state === 'connected'")
    assert server.addresses[1].endswith("?since=1&epoch=e1")


def test_what_was_sent_into_a_dead_socket_goes_again_with_its_id(live: tuple[Page, Played]) -> None:
    page, server = live
    server.deaf = True
    send(page, "Hi")
    wait_for_command(page, server)
    server.answer = acknowledged
    page.evaluate(WAKE["online"])
    wait_for_ping(page, server)
    page.clock.run_for(6_000)
    wait_for(page, "socket.pending.length === 0")
    assert [command["text"] for command in server.received] == ["Hi", "Hi"]
    assert len({command["id"] for command in server.received}) == 1


def test_who_left_for_good_asks_no_more(live: tuple[Page, Played]) -> None:
    page, server = live
    page.evaluate("socket.close()")
    page.clock.run_for(60_000)
    page.evaluate(WAKE["online"])
    page.wait_for_timeout(100)
    assert (server.pings, len(server.addresses)) == (0, 1)
