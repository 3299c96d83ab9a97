"""Times in words, and how they stay true while a page is open (times.js)."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

NOON = "2026-03-04T12:00:00"
TWO_DAYS = 2 * 24 * 3600 * 1000


def put(page: Page, kind: str, when: str) -> None:
    """Put a <time> of this kind on the page."""
    script = """async ([kind, when]) => {
      const { said } = await import("/static/realtime/page/times.js");
      document.querySelector("main").append(said(kind, when, { className: "put" }));
    }"""
    page.evaluate(script, [kind, when])


def test_times_stay_true_while_days_pass(visit: Visit) -> None:
    page = visit("/", timezone_id="UTC")
    page.clock.install(time=NOON)
    page.reload()
    for kind, when in (("day", "2026-03-04"), ("moment", f"{NOON}Z"), ("ago", f"{NOON}Z")):
        put(page, kind, when)
    said = page.locator(".put")
    expect(said).to_have_text(["Today", "12:00", "just now"])
    page.clock.fast_forward(24 * 3600 * 1000)
    expect(said).to_have_text(["Yesterday", "Yesterday, 12:00", "1 day ago"])
    page.clock.fast_forward(TWO_DAYS)
    expect(said).to_have_text(["Wednesday 4 March", "Wednesday 4 March, 12:00", "3 days ago"])


def test_who_comes_back_to_a_page_reads_what_is_true(visit: Visit) -> None:
    page = visit("/", timezone_id="UTC")
    page.clock.install(time=NOON)
    page.reload()
    put(page, "day", "2026-03-04")
    expect(page.locator(".put")).to_have_text("Today")
    page.clock.set_fixed_time("2026-03-05T09:00:00")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(".put")).to_have_text("Yesterday")


def test_yesterday_is_a_day_and_not_24_hours(visit: Visit) -> None:
    """On 25 October 2026 a day in Berlin has 25 hours."""
    page = visit("/", timezone_id="Europe/Berlin")
    script = """async () => {
      const { dayInWords } = await import("/static/realtime/page/times.js");
      return dayInWords("2026-10-24", new Date("2026-10-25T23:30:00"));
    }"""
    assert page.evaluate(script) == "Yesterday"
