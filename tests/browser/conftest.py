"""A real server and a real Chromium. The cast is that of tests.processes: alice, bob, root, and guests."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, sync_playwright

from tests.processes import SESSIONS, Server, missing, serve

OFF = (
    # By Playwright; it has no say any more, since of two such lists the last one counts.
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "LensOverlay"),
    *("HttpsFirstBalancedModeAutoEnable", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled"),
    "PreconnectToSearch",
    # By us: two renderers for each page that show nothing of it, one of them for the address bar.
    *("SpareRendererForSitePerProcess", "WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
)
ARGUMENTS = (
    f"--disable-features={','.join(OFF)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
PHONE: ViewportSize = {"width": 375, "height": 740}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
UNLIMITED = {"CHORUS_COMMAND_RATE": "0"}


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests that leave it as they found it; each test has a room of its own."""
    with serve(UNLIMITED) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium. It ends with this package: an event loop of its own runs as long as it does."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    path = found or missing("Chromium", "sudo apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """The name of a room that no other test uses."""
    name: str = request.node.name
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())[:60].strip("-")


@pytest.fixture
def problems() -> Iterator[list[str]]:
    """What browsers complained of: script errors, and all that the content security policy blocked.

    A test that provokes a complaint takes it out of the list.
    """
    found: list[str] = []
    yield found
    assert found == []


def forgive(problems: list[str]) -> None:
    """Browsers report every failed connection, which is what tests that stop their server are about."""
    lost = ("WebSocket connection to", "net::ERR_CONNECTION")  # a file of the page may be asked for on a dead one too
    problems[:] = [problem for problem in problems if not any(sign in problem for sign in lost)]


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, server: Server, problems: list[str]) -> Iterator[Visit]:
    """Open a page in a browser of one's own, as `visit("/chat/lobby/", name="alice")` or as a guest."""
    with visiting(browser, server, problems) as opened:
        yield opened


@contextmanager
def visiting(browser: Browser, server: Server, problems: list[str]) -> Iterator[Visit]:
    """What the fixture `visit` gives; all that was opened is closed at the end."""
    contexts = []

    def noted(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            problems.append(message.text)

    def opened(path: str, *, name: str | None = None, at: Server | None = None, **options: Any) -> Page:
        at = at or server
        options = {"viewport": DESKTOP, "locale": "en-GB", "timezone_id": "Europe/Berlin", **options}
        context = browser.new_context(base_url=at.http, **options)
        contexts.append(context)
        context.on("console", noted)
        context.on("weberror", lambda error: problems.append(str(error.error)))
        if name:
            context.add_cookies(session_of(at, name))
        page = context.new_page()
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()


def session_of(server: Server, name: str) -> list[Any]:
    """The cookie of a login; tests/browser/test_accounts.py does it by hand."""
    return [{"name": "sessionid", "value": SESSIONS[name], "url": server.http}]
