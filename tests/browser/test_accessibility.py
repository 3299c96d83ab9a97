"""Every page by axe-core: nothing serious at a phone's or a desktop's width, in light and dark.

The content security policy of our pages blocks what axe brings along, so these contexts do without it;
tests/browser/test_pages.py holds the pages to it.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visit, visiting
from tests.browser.test_pages import SCHEMES
from tests.processes import Server

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
# Select2 comes with Django's admin, without a name for its box; the field beside it has its label.
RUN = """
async () => (await axe.run({ exclude: [".select2-container"] }, { resultTypes: ["violations"] })).violations
"""
# Other colours are come to by transitions, in admin whatever one prefers.
AT_REST = """async () => {
  await new Promise(requestAnimationFrame);
  await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
}"""
SERIOUS = {"serious", "critical"}

PAGES = (
    ("/", None),
    ("/chat/", None),
    ("/chat/axe/", "alice"),
    ("/counter/", None),
    ("/counter/axe/", "alice"),
    ("/counter/watched/", None),
    ("/notifications/", None),
    ("/notifications/?topic=axe", "alice"),
    ("/console/", None),
    ("/docs/", None),
    ("/docs/protocol/", None),
    ("/accounts/login/", None),
    ("/accounts/tokens/", "alice"),
    ("/accounts/password/", "alice"),
    ("/admin/", "root"),
    ("/admin/realtime/connection/", "root"),
    ("/admin/chat/sanction/", "root"),
    ("/admin/chat/room/add/", "root"),
    ("/admin/admin/logentry/", "root"),
    ("/admin/notifications/person/1/", "root"),
    ("/admin/notifications/notification/add/", "root"),
    ("/admin/notifications/notification/", "root"),
    ("/admin/notifications/topic/add/", "root"),
    ("/admin/counter/counter/", "root"),
    ("/admin/counter/counter/add/", "root"),
    ("/admin/accounts/token/add/", "root"),
    ("/nothing-here/", None),
)
FILL = """
from chat.models import Room
from counter.models import Counter
from notifications.models import Topic
from realtime.access import Identity
ops = Identity("guest:ops", "Guest-1234")
room = Room.objects.get_or_create(name="axe")[0]
room.post(ops, "Hello, see https://example.org/")
Counter.objects.get_or_create(name="axe")[0].add(ops, 5)
Counter.objects.get_or_create(name="watched", defaults={"title": "Watched", "guest_access": "read"})
topic = Topic.objects.get_or_create(name="axe", defaults={"title": "Axe", "description": "For tests."})[0]
for priority in (1, 2, 3, 4, 5):
    topic.publish(ops, "Message", title="Title", priority=priority, tags=["tag"])
topic.retract(ops, topic.publish(ops, "A mistake").seq)
"""


@pytest.fixture(scope="module")
def filled(server: Server) -> None:
    """Pages with something on them."""
    server.shell(FILL)


def violations(page: Page) -> list[str]:
    """What axe finds that is serious, a line for each element."""
    page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate(RUN)
    serious = [rule for rule in found if rule["impact"] in SERIOUS]
    return [f"{rule['id']}: {node['html']} {node['failureSummary']}" for rule in serious for node in rule["nodes"]]


def settled(page: Page) -> Page:
    """Wait until the page has connected, where it does, and nothing moves."""
    badge = page.locator("[data-status] .badge, .room-status .badge")
    if badge.count() and not page.url.endswith("/console/"):
        expect(badge.first).to_have_text("Connected")
    if "topic=axe" in page.url:
        expect(page.locator(".note:visible")).to_have_count(6)
    return page


Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module", params=PAGES, ids=lambda page: "-".join(map(str, page)))
def shown(request: pytest.FixtureRequest, browser: Browser, server: Server, filled: None) -> Iterator[Page]:
    """A page, opened once for both schemes: looking at it changes nothing."""
    problems: list[str] = []
    path, name = request.param
    with visiting(browser, server, problems) as visit:
        yield settled(visit(path, name=name, bypass_csp=True, reduced_motion="reduce"))
        assert [problem for problem in problems if "404" not in problem] == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_serious(shown: Page, scheme: Scheme) -> None:
    shown.emulate_media(color_scheme=scheme)
    shown.evaluate(AT_REST)
    for viewport in (DESKTOP, PHONE):
        shown.set_viewport_size(viewport)
        assert violations(shown) == [], f"{viewport['width']} px"


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_serious_on_somebody_s_card(visit: Visit, scheme: Scheme) -> None:
    visit("/chat/axe/", name="alice")
    page = settled(visit("/chat/axe/", name="root", bypass_csp=True, reduced_motion="reduce", color_scheme=scheme))
    page.locator(".people-list").get_by_role("button", name="alice").click()
    expect(page.get_by_role("button", name="Mute")).to_be_visible()
    for viewport in (DESKTOP, PHONE):
        page.set_viewport_size(viewport)
        assert violations(page) == [], f"{viewport['width']} px"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_serious_after_making_a_token(visit: Visit, scheme: Scheme) -> None:
    page = visit("/accounts/tokens/", name="bob", bypass_csp=True, reduced_motion="reduce", color_scheme=scheme)
    page.get_by_label("Name").fill("axe")
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_role("link", name="I have copied it")).to_be_visible()
    settled(page)
    for viewport in (DESKTOP, PHONE):
        page.set_viewport_size(viewport)
        assert violations(page) == [], f"{viewport['width']} px"
