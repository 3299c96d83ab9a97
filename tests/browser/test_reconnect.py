"""What a room's page does when its server goes away and comes back."""

import re
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.browser.conftest import Visit, forgive
from tests.browser.test_room import connected, say
from tests.processes import Server, serve
from tests.servers.chaos.proxy import Proxy, proxy

BADGE = ".room-status .badge"
BACK_MS = 25_000  # the longest wait before a page tries again, and some

POST = """
from chat.models import Room
from realtime.access import Identity
Room.objects.get(name={room!r}).post(Identity("guest:test", "Guest-1234"), {text!r})
"""


KEEP_STATUS = """() => {
  const status = document.querySelector(".room-status");
  const keep = () => (status.dataset.told = `${status.dataset.told ?? ""}\\n${status.textContent}`);
  new MutationObserver(keep).observe(status, { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that may be killed."""
    with serve() as running:
        yield running


def test_what_was_missed_and_what_was_unsent_arrive_once(
    own_server: Server, visit: Visit, room: str, problems: list[str]
) -> None:
    page = connected(visit(f"/chat/{room}/", name="alice", at=own_server))
    say(page, "before")
    expect(page.locator(".messages .message-text")).to_have_text(["before"])
    own_server.kill()
    expect(page.locator(".room-status")).to_contain_text("Trying again in")
    say(page, "unsent")
    expect(page.locator(".unsent-state")).to_have_text("Waiting to be sent")
    own_server.shell(POST.format(room=room, text="missed"))
    own_server.start()
    page.evaluate("dispatchEvent(new Event('online'))")  # tries at once
    expect(page.locator(BADGE)).to_have_text("Back online. 1 missed message caught up.", timeout=BACK_MS)
    expect(page.locator(".messages .message-text")).to_have_text(["before", "missed", "unsent"])
    expect(page.locator(".unsent")).to_have_count(0)
    page.reload()
    expect(page.locator(".messages .message-text")).to_have_text(["before", "missed", "unsent"])
    forgive(problems)


def test_an_unsent_message_survives_a_reload(own_server: Server, visit: Visit, room: str, problems: list[str]) -> None:
    page = connected(visit(f"/chat/{room}/", name="alice", at=own_server))
    own_server.kill()
    expect(page.locator(".room-status")).to_contain_text("Trying again in")
    say(page, "still here")
    page.goto("about:blank")
    own_server.start()
    page.route_web_socket("**/*", lambda socket: socket.close(code=1011))
    page.goto(f"/chat/{room}/")
    expect(page.locator(".unsent-state")).to_have_text("Waiting to be sent")
    fresh = page.context.new_page()
    fresh.goto(f"/chat/{room}/")
    expect(connected(fresh).locator(".message")).to_have_count(0)
    forgive(problems)


def test_a_restart_is_told_and_waited_for(own_server: Server, visit: Visit, room: str, problems: list[str]) -> None:
    page = connected(visit(f"/chat/{room}/", at=own_server))
    page.evaluate(KEEP_STATUS)  # it stands there for a moment only, then the page tries again
    own_server.terminate()
    expect(page.locator(".room-status")).to_have_attribute("data-told", re.compile(r"The server is restarting\."))
    own_server.start()
    expect(page.locator(BADGE)).to_have_text("Back online. Nothing was missed.", timeout=BACK_MS)
    forgive(problems)


@pytest.fixture
def path_to(server: Server) -> Iterator[Proxy]:
    """A way to the server of all tests that may go silent."""
    with proxy(server.port) as one:
        yield one


class At:
    """Where a page finds the server."""

    def __init__(self, path: Proxy) -> None:
        self.http = f"http://127.0.0.1:{path.port}"


def post(address: str, body: bytes) -> None:
    """Say something as a program does."""
    asked = Request(address, data=body, headers={"Content-Type": "text/plain"})  # noqa: S310 - our own server
    with urlopen(asked) as answer:  # noqa: S310
        assert answer.status == 201


def test_a_connection_that_went_silent_is_found_and_what_was_missed_arrives(
    server: Server, path_to: Proxy, visit: Visit, room: str
) -> None:
    page = visit("/", at=At(path_to))
    page.clock.install()
    page.goto(f"/chat/{room}/")
    say(connected(page), "before")
    expect(page.locator(".messages .message-text")).to_have_text(["before"])
    path_to.silence()
    post(f"{server.http}/api/chat/{room}/messages/", b'{"text": "missed"}')
    say(page, "unsent")
    expect(page.locator(BADGE)).to_have_text("Connected")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.run_for(6_000)
    expect(page.locator(BADGE)).to_have_text("Back online. 1 missed message caught up.")
    expect(page.locator(".messages .message-text")).to_have_text(["before", "missed", "unsent"])


def test_try_now_does_not_wait(visit: Visit, room: str) -> None:
    page = visit("/chat/")
    attempts: list[str] = []

    def answer(socket: WebSocketRoute) -> None:
        attempts.append(socket.url)
        if len(attempts) > 1:
            socket.connect_to_server()
        else:
            socket.close(code=1012, reason="retry_after=200")

    page.route_web_socket("**/ws/chat/**", answer)
    page.goto(f"/chat/{room}/")
    expect(page.locator(BADGE)).to_contain_text("The server is restarting. Trying again in 20")
    page.get_by_role("button", name="Try now").click()
    connected(page)
