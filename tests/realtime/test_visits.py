"""How often a network may ask for pages."""

from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings

from config.asgi import application
from realtime.rates import GUESTS_TOGETHER

pytestmark = pytest.mark.django_db(transaction=True)


async def ask(path: str, address: str = "192.0.2.7") -> dict[str, Any]:
    """Ask for a page; gives the beginning of the answer."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
        "client": (address, 50000),
    }
    asked: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
    await asked.send_input({"type": "http.request"})
    start: dict[str, Any] = await asked.receive_output(10)
    while (await asked.receive_output(10)).get("more_body"):
        pass
    await asked.wait(10)
    return start


@pytest.fixture
def few(settings: Settings) -> None:
    """A site where a network may ask for ten pages."""
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 1, 0.01


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/chat/", "/console/", "/nowhere/", "/admin/login/"])
async def test_what_needs_no_login_is_counted_for_the_network(path: str, few: None) -> None:
    assert {(await ask(path))["status"] for _ in range(GUESTS_TOGETHER)} <= {200, 302, 404}
    refused = await ask(path)
    assert refused["status"] == 429
    assert 1 <= int(dict(refused["headers"])[b"retry-after"]) <= 10
    assert (await ask(path, "192.0.2.8"))["status"] != 429


async def test_files_and_what_counts_by_itself_are_not(few: None) -> None:
    for _ in range(GUESTS_TOGETHER + 1):
        assert (await ask("/static/realtime/icon.svg"))["status"] in {200, 404}
    assert (await ask("/"))["status"] == 200


async def test_a_refusal_is_logged_now_and_then(few: None, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(GUESTS_TOGETHER + 3):
        await ask("/nowhere/")
    assert len([line for line in caplog.messages if "too many requests" in line]) == 1
