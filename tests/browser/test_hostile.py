"""Hostile names and texts on every page and admin page, in a real browser: nothing runs, all of it is shown as text."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import quote, urljoin

import pytest
from playwright.sync_api import Locator, Page, expect
from websockets.sync.client import connect

from tests.browser.conftest import Visit
from tests.browser.hostile import ALL, HOSTILE, LONE, MENDED, Site, hostile_site, nothing_ran, watched
from tests.servers.test_origins import PRODUCTION

TEXTS = tuple(HOSTILE.values())
CONNECTIONS = "/admin/realtime/connection/"
LISTED = 30
"""Characters of a text that every list shows at least."""
MODELS = (
    "chat.room",
    "chat.message",
    "chat.sanction",
    "counter.counter",
    "notifications.topic",
    "notifications.notification",
    "auth.user",
    "auth.group",
    "accounts.token",
)
REFUSED = {"control", "NUL", "zero width"}
"""Those with control characters, which nobody may say."""
SAID = [*(text for name, text in HOSTILE.items() if name not in REFUSED), MENDED]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Production, since nothing may depend on DEBUG."""
    with hostile_site({**PRODUCTION, "CHORUS_COMMAND_RATE": "0"}) as running:
        yield running


@pytest.fixture
def page(visit: Visit, site: Site, problems: list[str]) -> Page:
    """The superuser who is called ALL, before the first page."""
    found = visit("about:blank", at=site.server)
    watched(found.context, site.server, problems)
    found.context.add_cookies([site.cookie])
    return found


def go(page: Page, path: str) -> Page:
    """Open a page that has to be there."""
    answer = page.goto(path)
    assert answer is not None
    assert answer.ok, f"{path}: {answer.status}"
    return page


def admin(model: str) -> str:
    return f"/admin/{model.replace('.', '/')}/"


def test_there_are_forty() -> None:
    assert len(set(TEXTS)) == 40


PAGES: dict[str, tuple[str, ...]] = {
    "/": (),
    "/chat/": TEXTS,
    f"/chat/?name={quote(ALL)}": (),
    "/counter/": TEXTS,
    "/counter/all/": TEXTS,
    f"/counter/?name={quote(ALL)}": (),
    "/notifications/": TEXTS,
    f"/console/?route={quote(ALL)}&send={quote(ALL)}": (),
    "/accounts/tokens/": TEXTS,
    "/accounts/password/": (),
    "/accounts/password/done/": (),
}
"""Each shows these, and the visitor's name, which is ALL."""


def test_pages(page: Page, problems: list[str]) -> None:
    for path, shown in PAGES.items():
        nothing_ran(go(page, path), problems, *shown, most=LISTED)
        nothing_ran(page, problems, ALL)


def test_lists_in_admin(page: Page, problems: list[str]) -> None:
    for model in MODELS:
        nothing_ran(go(page, admin(model)), problems, *TEXTS, most=LISTED)
        nothing_ran(go(page, f"{admin(model)}?q={quote(ALL[:1000])}"), problems, ALL[:1000])
        go(page, admin(model))
        page.locator("#action-toggle").check()
        page.get_by_label("Action:").select_option("delete_selected")
        page.locator("button[name=index]").click()
        expect(page.get_by_role("button", name="Yes, I’m sure")).to_be_visible()
        nothing_ran(page, problems, *TEXTS, most=LISTED)


def test_objects_in_admin(page: Page, site: Site, problems: list[str]) -> None:
    for model in MODELS:
        for act in ("change", "delete", "history"):
            go(page, f"{admin(model)}{site.keys[model]}/{act}/")
            nothing_ran(page, problems, *(TEXTS if act == "history" else ()), most=LISTED)
            nothing_ran(page, problems, ALL if act == "change" else "")


def test_other_pages_of_admin(page: Page, site: Site, problems: list[str]) -> None:
    user = site.keys["auth.user"]
    for path in (
        "/admin/",
        *(f"/admin/{app}/" for app in ("auth", "chat", "counter", "notifications")),
        *(f"{admin(model)}add/" for model in MODELS if model not in {"chat.message", "chat.sanction"}),
        f"{admin('auth.user')}{user}/password/",
        f"{admin('chat.room')}{site.keys['chat.room']}/reset/",
        f"{admin('notifications.topic')}{site.keys['notifications.topic']}/reset/",
        f"{admin('counter.counter')}{site.keys['counter.counter']}/set/",
        f"{admin('notifications.notification')}person/{user}/",
        f"{admin('chat.room')}{site.keys['chat.room']}/sanction/?user={user - 1}",
        "/admin/password_change/",
        "/admin/admin/logentry/",
    ):
        nothing_ran(go(page, path), problems, ALL)


def in_room(page: Page) -> Page:
    expect(page.locator(".room-status .badge")).to_have_text("Connected")
    return page


def type_in(field: Locator, text: str) -> None:
    """Put text into a field as a paste does, whatever is in it."""
    put = (
        "(field, text) => { field.value = JSON.parse(text); field.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    field.evaluate(put, json.dumps(text))


def test_a_room_with_all_of_them_in_it(page: Page, site: Site, problems: list[str]) -> None:
    in_room(go(page, "/chat/all/"))
    with ExitStack() as stack:
        for secret in site.secrets:
            headers = {"Authorization": f"Bearer {secret}"}
            address = f"{site.server.ws}/ws/chat/all/"
            stack.enter_context(connect(address, additional_headers=headers, max_queue=None))
        expect(page.locator("[data-people-count]")).to_have_text("41")
        expect(page.locator(".messages .message-text")).to_have_count(41)
        nothing_ran(page, problems, *TEXTS, ALL)
        go(page, CONNECTIONS)
        expect(page.locator("[data-rows] tr")).to_have_count(40)
        nothing_ran(page, problems, *TEXTS, most=LISTED)
        type_in(page.get_by_label("Name, route or address"), "__PWNED")
        page.get_by_role("button", name="Search").click()
        expect(page.locator("[data-rows] tr")).to_have_count(sum("__pwned" in text[:150] for text in TEXTS))
        nothing_ran(page, problems, ALL)
        named = page.locator("[data-rows] tr", has=page.locator("td", has_text=HOSTILE["image"])).first
        for act in ("Disconnect…", "Mute or ban…", "Notify…"):
            link = named.get_by_role("link", name=act).get_attribute("href")
            assert link
            nothing_ran(go(page.context.new_page(), link), problems, HOSTILE["image"])


def test_what_is_typed_in_a_room(visit: Visit, page: Page, site: Site, problems: list[str]) -> None:
    in_room(go(page, "/chat/typed/"))
    reader = in_room(visit("/chat/typed/", at=site.server))
    watched(reader.context, site.server, problems)
    for text in [*TEXTS, LONE]:
        type_in(page.get_by_label("Message to"), text)
        page.get_by_label("Message to").press("Enter")
    for each in (page, reader):
        expect(each.locator(".messages .message-text")).to_have_count(len(SAID))
        nothing_ran(each, problems, *SAID)
    expect(page.locator(".unsent-state", has_text="Not sent")).to_have_count(len(REFUSED))
    nothing_ran(page, problems, *TEXTS)


PUBLISH = """(form, given) => {
  const [text, priority] = JSON.parse(given);
  const title = text.slice(0, 30).replaceAll(",", "");
  const fields = { message: text, title, tags: title, priority };
  for (const [name, value] of Object.entries(fields)) form.elements[name].value = value;
  form.requestSubmit();
}"""


def test_what_is_typed_into_the_form_that_publishes(visit: Visit, page: Page, site: Site, problems: list[str]) -> None:
    reader = go(visit("about:blank", at=site.server), "/notifications/?topic=one-0")
    watched(reader.context, site.server, problems)
    go(page, "/notifications/?topic=one-0")
    form = page.locator("form[data-publish]")
    expect(page.locator("[data-status] .badge")).to_have_text("Connected")
    for number, text in enumerate([*TEXTS, LONE]):
        form.evaluate(PUBLISH, json.dumps([text, number % 5 + 1]))
        expect(form.locator("[data-publish-state], [data-publish-error]").filter(has_text="ublished")).to_have_count(1)
    for each in (page, reader):
        expect(each.locator(".note-text")).to_have_count(len(SAID))
        nothing_ran(each, problems, *SAID)


def test_login_with_all_of_them(visit: Visit, site: Site, problems: list[str]) -> None:
    page = visit("about:blank", at=site.server)
    watched(page.context, site.server, problems)
    for path in (f"/accounts/login/?next={quote(ALL)}", f"/admin/login/?next={quote(ALL)}"):
        go(page, path)
        type_in(page.get_by_label("Username"), ALL)
        type_in(page.get_by_label("Password"), ALL)
        page.get_by_role("main").or_(page.locator("#content")).get_by_role("button", name="Log in").click()
        expect(page.locator(".errornote, .field-error").first).to_be_visible()
        nothing_ran(page, problems, ALL)


SAVE = """async (texts) => {
  const form = document.querySelector("#content form");
  const results = [];
  for (const text of JSON.parse(texts)) {
    const data = new FormData(form);
    for (const name of ["title", "description"]) if (data.has(name)) data.set(name, text.slice(0, 200));
    if (!data.has("title")) data.set("name", `${text.slice(0, 80)} again`);
    const answer = await fetch(location, { method: "POST", body: data, redirect: "manual" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const wrong = page.querySelector(".errorlist:not(.nonfield)")?.textContent ?? "";
    results.push(answer.type === "opaqueredirect" ? "saved" : `${answer.status} ${wrong}`);
  }
  return results;
}"""
NO_CONTROLS = "200 control characters other than tab and line break are not allowed"
NO_NUL = "200 Null characters are not allowed."


@pytest.mark.parametrize(
    "model", ["chat.room", "notifications.topic", "counter.counter", "auth.group", "accounts.token"]
)
def test_a_form_in_admin_saves_it_or_says_why_not(page: Page, site: Site, problems: list[str], model: str) -> None:
    pk = site.keys[model] - 1
    go(page, f"{admin(model)}{pk}/change/")
    expected = dict.fromkeys([*HOSTILE, "lone"], "saved") | {"NUL": NO_NUL}
    if model != "auth.group":
        expected["control"] = NO_CONTROLS
    if model == "accounts.token":
        expected["zero width"] = NO_CONTROLS  # it has a next line (U+0085), which titles take as a blank
    found = page.evaluate(SAVE, json.dumps([*TEXTS, LONE]))
    assert dict(zip(expected, found, strict=True)) == expected
    nothing_ran(page, problems)


ADDRESSES = (
    "/{}/",
    "/chat/{}/",
    "/counter/{}/",
    "/admin/{}/",
    "/admin/chat/room/{}/change/",
    "/admin/notifications/notification/person/{}/",
    "/notifications/?topic={}",
    "/accounts/login/?next={}",
    "/admin/chat/room/?guest_access={}",
    "/admin/auth/user/?is_staff__exact={}",
    "/admin/accounts/token/?owner__id__exact={}",
    "/admin/chat/message/?created_at__year={}",
    "/admin/chat/room/1/sanction/?user={}",
    *(f"{CONNECTIONS}{what}?{name}={{}}" for what in ("", "data/") for name in ("q", "user", "token", "stream")),
    f"{CONNECTIONS}?connection={{}}",
)


def test_addresses(page: Page, site: Site) -> None:
    """Whatever is asked for is answered, and no redirect leads away or sets a cookie."""
    here = f"{site.server.http}/"
    for number, text in enumerate([*TEXTS, "\udc80", "\udced\udca0\udc80"]):
        part = quote(text[:1000], safe="", errors="surrogateescape")
        forms = [form for form in ADDRESSES if number % 4 == 3 or "?" not in form]  # NUL is among these
        for path in (form.format(part) for form in forms):
            answer = page.context.request.get(path, max_redirects=0)
            assert answer.status in {200, 301, 302, 400, 404}, f"{path}: {answer.status}"
            assert urljoin(here, answer.headers.get("location", "")).startswith(here), path
            assert "__pwned" not in answer.headers.get("set-cookie", "")
            answer.dispose()
