"""The browser's reader of event streams (stream.js) comes back where an EventSource ends for good."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.browser.conftest import Visit, forgive
from tests.browser.played import wait_for
from tests.browser.test_reconnect import At, post
from tests.processes import Server
from tests.servers.chaos.proxy import Proxy, proxy

FOLLOW = """
async ([address, options]) => {
  const { follow } = await import("/static/realtime/connection/stream.js");
  window.seen = [];
  window.statuses = [];
  window.events = follow(address, options ?? {});
  for (const type of ["subscribed", "notification"]) events.on(type, (event) => seen.push(event));
  events.onStatus((status) => statuses.push(status));
}
"""
MESSAGES = "seen.filter(({ type }) => type === 'notification').map(({ message }) => message)"
SAID = "statuses.map(({ text }) => text)"
Answer = Callable[[Route], None]


def told(seq: int, message: str) -> Answer:
    """A stream of one event, which ends."""
    data = json.dumps({"type": "notification", "seq": seq, "message": message})
    body = f"retry: 10\n\nid: alerts={seq}.e1\nevent: notification\ndata: {data}\n\n"
    return lambda route: route.fulfill(content_type="text/event-stream", body=body)


def status(code: int, **headers: str) -> Answer:
    return lambda route: route.fulfill(status=code, headers=headers, body="<h1>a proxy's page</h1>")


class Played:
    """A server whose answers a test gives, in order; the last one stays away."""

    def __init__(self, page: Page, *answers: Answer) -> None:
        self.asked: list[dict[str, str]] = []
        self.answers = list(answers)
        page.route("**/played", self._take)

    def _take(self, route: Route) -> None:
        self.asked.append(route.request.headers)
        if self.answers:
            self.answers.pop(0)(route)


@pytest.fixture
def page(visit: Visit, problems: list[str]) -> Iterator[Page]:
    """The browser reports each answer that is an error, which is what these tests are about."""
    yield visit("/")
    problems[:] = [problem for problem in problems if "Failed to load resource" not in problem]


def follow(page: Page, address: str = "/played", **options: Any) -> None:
    page.evaluate(FOLLOW, [address, options])


@pytest.mark.parametrize("code", [200, 408, 429, 500, 502, 503, 504])
def test_it_comes_back_after_whatever_a_proxy_answers_and_goes_on_after_the_last_event(page: Page, code: int) -> None:
    server = Played(page, told(1, "one"), status(code), told(2, "two"))
    follow(page)
    wait_for(page, "seen.length === 2")
    assert page.evaluate(MESSAGES) == ["one", "two"]
    assert "last-event-id" not in server.asked[0]
    assert [asked["last-event-id"] for asked in server.asked[1:3]] == ["alerts=1.e1", "alerts=1.e1"]
    assert page.evaluate("events.lastId") == "alerts=2.e1"


def test_it_comes_back_after_a_lost_connection(page: Page) -> None:
    Played(page, lambda route: route.abort("connectionreset"), told(1, "one"))
    follow(page)
    wait_for(page, "seen.length === 1")
    assert page.evaluate(SAID)[:4] == ["Connecting…", "Connecting…", "Offline. Trying again in 1 s.", "Connecting…"]


def test_it_stays_away_as_long_as_it_was_told(page: Page) -> None:
    Played(page, status(503, **{"Retry-After": "120"}))
    follow(page)
    wait_for(page, "events.status.state === 'waiting'")
    assert page.evaluate("events.status.retryAt - Date.now()") > 110_000


@pytest.mark.parametrize("code", [204, 400, 401, 403, 404])
def test_a_refusal_is_final_and_says_why(page: Page, code: int) -> None:
    body = json.dumps({"type": "error", "code": "forbidden", "message": "Guests may not read here."})
    server = Played(page, lambda route: route.fulfill(status=code, body="" if code == 204 else body))
    follow(page)
    wait_for(page, "events.status.state === 'stopped'")
    why = "status 204." if code == 204 else "Guests may not read here."
    assert page.evaluate("events.status.text") == f"Disconnected: {why}"
    page.evaluate("dispatchEvent(new Event('online'))")
    assert len(server.asked) == 1
    server.answers = [told(1, "one")]
    page.evaluate("events.tryNow()")
    wait_for(page, "seen.length === 1")


def test_a_token_is_asked_for_anew_and_sent_as_a_header(page: Page) -> None:
    server = Played(page, told(1, "one"), told(2, "two"))
    page.evaluate("window.made = 0")
    address = "['/played', { token: async () => `chorus_${++made}` }]"
    page.evaluate(f"() => ({FOLLOW})({address})")
    wait_for(page, "seen.length === 2")
    assert [asked["authorization"] for asked in server.asked[:2]] == ["Bearer chorus_1", "Bearer chorus_2"]


def test_it_goes_on_after_an_id_that_was_kept(page: Page) -> None:
    server = Played(page, told(8, "eight"))
    follow(page, lastId="alerts=7.e1")
    wait_for(page, "seen.length === 1")
    assert server.asked[0]["last-event-id"] == "alerts=7.e1"


def test_who_left_for_good_asks_no_more(page: Page) -> None:
    server = Played(page, told(1, "one"))
    follow(page)
    wait_for(page, "seen.length === 1")
    page.evaluate("events.close(); dispatchEvent(new Event('online')); events.tryNow()")
    page.wait_for_timeout(700)
    assert len(server.asked) <= 2
    assert page.evaluate("events.status.text") == "Disconnected."


# Against the server.


@pytest.fixture
def path_to(server: Server) -> Iterator[Proxy]:
    """A way to the server of all tests that may go silent."""
    with proxy(server.port) as one:
        yield one


@pytest.mark.parametrize("event", ["a timer", "visibilitychange"])
def test_a_stream_that_went_silent_is_read_on(
    server: Server, path_to: Proxy, visit: Visit, room: str, event: str
) -> None:
    page = visit("/", at=At(path_to))
    page.clock.install()
    follow(page, f"/api/notifications/stream?topics={room}")
    wait_for(page, "seen.length === 1")
    path_to.silence()
    post(f"{server.http}/api/notifications/{room}/", b"missed")
    if event == "a timer":
        page.clock.run_for(26_000)
    else:
        page.clock.pause_at("2100-01-01")  # no timer fires, as after a sleep
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.clock.run_for(1_000)
    for _ in range(10):  # the browser may ask on idle connections that have died too, and each attempt uses one up
        page.wait_for_timeout(300)
        if page.evaluate(f"{MESSAGES}.length"):
            break
        page.clock.run_for(11_000)
    assert page.evaluate(MESSAGES) == ["missed"]
    assert "The server does not answer. Trying again in 1 s." in page.evaluate(SAID)


def test_being_offline_is_said_at_once_and_online_resumes(visit: Visit, room: str, problems: list[str]) -> None:
    page = visit("/")
    follow(page, f"/api/notifications/stream?topics={room}")
    wait_for(page, "seen.length === 1")
    page.evaluate("dispatchEvent(new Event('offline'))")
    assert page.evaluate("events.status.state") == "waiting"
    page.evaluate("dispatchEvent(new Event('online'))")
    wait_for(page, "seen.length === 2")
    assert page.evaluate("seen[1].streams[Object.keys(seen[1].streams)[0]].recovered") is True
    forgive(problems)
