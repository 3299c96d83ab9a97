"""Admin of a real server with many rows: messages, people let in, bans. On SQLite and PostgreSQL."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from tests.processes import SESSIONS, Server
from tests.servers.clients import Page, Site, member

MANY = 1050
FILL = f"""
from django.contrib.auth.models import User
from django.utils import timezone
from chat.models import Message, Room, Sanction
room, root, now = Room.objects.create(name="flood", last_seq={MANY}), User.objects.get(username="root"), timezone.now()
room.readers.set(User.objects.bulk_create(User(username=f"member{{n}}", password="!") for n in range({MANY})))
said = {{"stream": room, "sender_key": "guest:x", "sender_name": "Spammer", "created_at": now}}
Message.objects.bulk_create(Message(seq=n + 1, text=f"=spam {{n}}", **said) for n in range({MANY}))
banned = {{"room": room, "kind": "ban", "by": root}}
Sanction.objects.bulk_create(Sanction(identity_key=f"guest:{{n}}", name=f"Guest-{{n}}", **banned) for n in range(490))
print(room.pk)
"""


class Form(HTMLParser):
    """The fields of a page's forms as a browser without scripts would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a field; what an empty row for something new holds is not sent."""
        found = {name: value or "" for name, value in attrs}
        name = found.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and "selected" in found:
            self._add(self._select, found.get("value", ""))
        elif tag == "textarea" or (tag == "input" and found.get("type") in {"text", "number", "hidden", None}):
            self._add(name, found.get("value", ""))

    def _add(self, name: str, value: str) -> None:
        if name and "__prefix__" not in name and name != "q":
            self.fields.append((name, value))


@pytest.fixture(scope="module")
def flooded(site: Site) -> Iterator[tuple[Server, str]]:
    """A server, and the key of its room with many of each."""
    with site.serve() as server:
        yield server, server.shell(FILL).split()[-1]


def ask(server: Server, path: str, fields: list[tuple[str, str]] | None = None) -> Page:
    """Ask for a page of admin as root, or send a form to it."""
    headers = {"Cookie": f"sessionid={SESSIONS['root']}; csrftoken={'c' * 32}"}
    body = None
    if fields is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        own = [(name, value) for name, value in fields if name != "csrfmiddlewaretoken"]
        body = urlencode([*own, ("csrfmiddlewaretoken", "c" * 32)])
    with closing(HTTPConnection("127.0.0.1", server.port)) as connection:
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        return Page(answer.status, answer.headers, answer.read().decode())


def test_a_room_of_many_people_and_bans_is_saved(flooded: tuple[Server, str]) -> None:
    server, room = flooded
    path = f"/admin/chat/room/{room}/change/"
    form = Form(ask(server, path).text).fields
    assert len(form) > MANY
    assert ask(server, path, form).status == 302
    counted = server.shell(
        f"from chat.models import Room; room = Room.objects.get(pk={room}); "
        "print(room.readers.count(), room.sanctions.count())"
    )
    assert counted.split()[-2:] == [str(MANY), "490"]


def test_a_list_is_sent_as_it_is_read(flooded: tuple[Server, str]) -> None:
    server, room = flooded
    answer = ask(server, f"/admin/chat/message/export/?stream__id__exact={room}")
    assert (answer.status, answer.headers["Transfer-Encoding"]) == (200, "chunked")
    lines = answer.text.splitlines()
    assert len(lines) == 1 + MANY
    assert lines[1].endswith(f",Spammer,'=spam {MANY - 1}")


async def test_all_messages_are_selected_and_deleted_and_readers_told(flooded: tuple[Server, str]) -> None:
    server, room = flooded
    path = f"/admin/chat/message/?stream__id__exact={room}"
    async with member(server, "root", "flood") as reader:
        first = re.search(r'name="_selected_action" value="(\d+)"', (await asyncio.to_thread(ask, server, path)).text)
        assert first is not None
        chosen = [("action", "delete_selected"), ("select_across", "1"), ("index", "0"), ("_selected_action", first[1])]
        page = await asyncio.to_thread(ask, server, path, chosen)
        named = [(name, value) for name, value in Form(page.text).fields if name == "_selected_action"]
        assert len(named) == MANY
        sent = [("action", "delete_selected"), ("post", "yes"), *named]
        assert (await asyncio.to_thread(ask, server, path, sent)).status == 302
        targets = [(await reader.next("deleted"))["target"] for _ in range(MANY)]
    assert sorted(targets) == [*range(1, MANY + 1)]
