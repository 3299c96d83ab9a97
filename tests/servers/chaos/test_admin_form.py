"""A room's form saved in admin, again and again, while people talk in the room.

On PostgreSQL, where others commit between the reading and the saving of a form; SQLite lets nobody in between.
"""

import asyncio
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection
from urllib.parse import urlencode

from tests.processes import Server
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import ROOM, Listener, Talker, listening, postgres_site, settled, stored, talking
from tests.servers.chaos.watch import acknowledged_again, promise_calm, promise_open
from tests.servers.clients import Page, get, log_in_with_browser

SAVES, SAVES_LONG = 20, 1000


class Form(HTMLParser):
    """The values a browser would send from a page, as they stand on it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._name = ""
        """The textarea or select that is being read."""
        self._is_list = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "textarea":
            self._name, self.values[name] = name, ""
        elif tag == "select":
            self._name, self._is_list = name, "multiple" in given
        elif tag == "option" and ("selected" in given or not (self._is_list or self._name in self.values)):
            self.values[self._name] = value  # of a list nothing, of a choice the first, unless another is chosen
        elif tag == "input" and name and given.get("type") not in ("submit", "checkbox", "radio"):
            self.values[name] = value

    def handle_data(self, data: str) -> None:
        if self._name and self.lasttag == "textarea":
            self.values[self._name] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self._name = ""


@dataclass
class Admin:
    """A superuser's browser."""

    server: Server
    cookie: str = field(init=False)
    room: str = field(init=False)
    """The page of the room that is talked in."""

    def __post_init__(self) -> None:
        self.cookie = log_in_with_browser(self.server, "root")
        found = re.search(r"/admin/chat/room/\d+/change/", self.get(f"/admin/chat/room/?q={ROOM}").text)
        assert found, "admin's list shows no room"
        self.room = found[0]

    def get(self, path: str) -> Page:
        """Ask for a page."""
        return get(self.server, path, Cookie=self.cookie)

    def post(self, path: str, values: dict[str, str]) -> int:
        """Send a form; returns the status."""
        connection = HTTPConnection("127.0.0.1", self.server.port)
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request("POST", path, urlencode(values), headers)
            return connection.getresponse().status
        finally:
            connection.close()


def save(admin: Admin, form: Form, description: str, tally: Tally) -> None:
    """Save a room's form that was opened some time ago, and see that it was saved."""
    values = {**form.values, "description": description, "_save": "Save"}
    status = admin.post(admin.room, values)
    shown = Form(admin.get(admin.room).text).values["description"].strip()
    tally.promise((status, shown) == (302, description), f"the form was not saved: {status}, {shown!r}")


async def saved(long: bool) -> Tally:
    """Save a form opened before anybody said anything, and one opened right before, in turn."""
    ledger, noted = Ledger(), Tally()
    with postgres_site() as site, site.serve(workers=2) as server:
        talkers = [Talker(ledger, [server], pause=0.005) for _ in range(3)]
        listeners = [Listener(ledger, f"listener {number}", [server], "bob") for number in range(2)]
        async with listening(*listeners):
            admin = await asyncio.to_thread(Admin, server)
            old = Form((await asyncio.to_thread(admin.get, admin.room)).text)
            async with talking(*talkers):
                for number in range(SAVES_LONG if long else SAVES):
                    await acknowledged_again(talkers)
                    page = await asyncio.to_thread(admin.get, admin.room)
                    form = Form(page.text) if number % 2 else old
                    await asyncio.to_thread(save, admin, form, f"Saved {number}", noted)
            tally = await settled(site, ledger, listeners)
        rows = await asyncio.to_thread(stored, site)
        promise_calm(tally, server)
    tally.broken += noted.broken
    tally.promise([seq for seq, _ in rows] == list(range(1, len(rows) + 1)), "the sequence has a gap")
    tally.promise(all(len(one.joins) == 1 for one in listeners), "somebody was told to begin anew")
    promise_open(tally, [*talkers, *listeners])
    return tally


ROWS = (Row("an admin form of a busy room saved during sends", "sequence untouched, nobody disturbed", saved),)


async def test_a_room_saved_in_admin_while_people_talk_keeps_its_sequence() -> None:
    await ROWS[0].short()
