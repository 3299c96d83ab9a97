"""After much use no secret is in the database, in Redis, in what goes through Redis, or in a log."""

import json
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
from redis import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from accounts.secret import SHOWN_CHARACTERS, new_secret
from tests.processes import PASSWORD, TOKENS, Server, serve
from tests.servers.clients import Page, Site, bearer, closed, get, log_in_with_browser, member
from tests.servers.leaks import forms, leaks, left_behind, traffic
from tests.servers.test_log_lines import FORM, for_token, log_in
from tests.servers.test_origins import PRODUCTION

TOKEN = re.compile(r"chorus_[0-9A-Za-z]{36}")
WRONG = "wrong-password-Xk3"
CHANGED = "changed-password-Zq7"
GIVEN = "given-by-admin-Wm5"
BODY = "the-body-of-a-message"
BAD = new_secret()
"""Well formed, and of nobody."""


@pytest.fixture
def pair(site: Site) -> Iterator[tuple[Server, Server]]:
    """Two processes in production, whose logs are JSON."""
    env = {**PRODUCTION, **site.env}
    with serve(env, data_dir=site.data_dir) as first, serve(env, data_dir=site.data_dir) as second:
        yield first, second


class Secrets(dict[str, str]):
    """What was found out meanwhile, by what it is."""

    def browser(self, server: Server, person: str) -> str:
        """Log in on the login page; returns the cookies."""
        cookies = log_in_with_browser(server, person)
        for name, value in (cookie.split("=", 1) for cookie in cookies.split("; ")):
            self[f"{name} {len(self)} of {person}"] = value
        return cookies

    def token(self, name: str, answer: str) -> str:
        """Read a new token from an answer; all but what is shown of it later is secret."""
        secret: str = TOKEN.findall(answer)[0]
        self[name] = secret[SHOWN_CHARACTERS:]
        return secret


def submit(server: Server, path: str, cookies: str, **fields: str | list[str]) -> Page:
    """Send a form as a browser with these cookies does."""
    csrf = cookies.partition("csrftoken=")[2].partition(";")[0]
    body = urlencode({**fields, "csrfmiddlewaretoken": csrf}, doseq=True)
    return ask(server, "POST", path, body, **{"Content-Type": FORM, "Cookie": cookies})


def ask(server: Server, method: str, path: str, body: str = "", **headers: str) -> Page:
    """Send a request."""
    with closing(HTTPConnection("127.0.0.1", server.port)) as connection:
        connection.request(method, path, body.encode(), headers)
        answer = connection.getresponse()
        return Page(answer.status, answer.headers, answer.read().decode(errors="replace"))


def use_pages(server: Server, secrets: Secrets) -> None:
    """Log in and out, make and revoke tokens, change passwords."""
    assert log_in(server, "alice", WRONG) == 200
    cookies = secrets.browser(server, "alice")
    made = {"name": "laptop", "scopes": "*", "days": "30"}
    secrets.token("a token made on a page", submit(server, "/accounts/tokens/", cookies, **made).text)
    page = get(server, "/accounts/tokens/", Cookie=cookies)
    revoked = re.findall(r'name="revoke" value="(\d+)"', page.text)[0]
    assert submit(server, "/accounts/tokens/", cookies, revoke=revoked).status == 302
    passwords = {"old_password": PASSWORD, "new_password1": CHANGED, "new_password2": CHANGED}
    assert submit(server, "/accounts/password/", cookies, **{**passwords, "old_password": WRONG}).status == 200
    assert submit(server, "/accounts/password/", secrets.browser(server, "bob"), **passwords).status == 302
    assert submit(server, "/accounts/logout/", secrets.browser(server, "alice")).status == 302


def use_admin(server: Server, secrets: Secrets) -> None:
    """What staff do with what is secret."""
    cookies = secrets.browser(server, "root")
    new = {"username": "carol", "usable_password": "true", "password1": GIVEN, "password2": GIVEN}
    created = submit(server, "/admin/auth/user/add/", cookies, **new)
    assert created.status == 302
    user = re.findall(r"\d+", created.headers["Location"])[0]
    made = {"owner": user, "name": "backup", "scopes": "*", "days": "30"}
    secrets.token("a token made in admin", submit(server, "/admin/accounts/token/add/", cookies, **made).text)
    told = {"title": "Hello", "message": BODY, "priority": "3"}
    assert submit(server, f"/admin/notifications/notification/person/{user}/", cookies, **told).status == 302
    assert get(server, "/admin/realtime/connection/data/", Cookie=cookies).status == 200
    changed = submit(server, f"/admin/auth/user/{user}/password/", cookies, **new)  # the session gets another key
    assert changed.status == 302
    secrets["sessionid of root with a new key"] = re.findall(r"sessionid=(\w+)", str(changed.headers))[0]


def use_api(server: Server, secrets: Secrets) -> None:
    """Tokens by password, good ones and bad ones, messages, and secrets where they do not belong."""
    assert for_token(server, "alice", WRONG) == 401
    asked = json.dumps({"username": "alice", "password": PASSWORD, "name": "script"})
    secret = secrets.token("a token made over HTTP", ask(server, "POST", "/api/token/", asked).text)
    as_alice = {"Authorization": f"Bearer {secret}"}
    said = json.dumps({"text": BODY})
    assert ask(server, "POST", "/api/chat/den/messages/", said, **as_alice).status == 201
    assert ask(server, "POST", "/api/notifications/alerts/", BODY, **as_alice, Title=BODY).status == 201
    assert ask(server, "POST", "/api/chat/den/messages/", f'{{"text": "{BODY}', **as_alice).status == 400
    for path in ("/api/me", "/api/notifications/alerts/stream", f"/api/me?token={secret}", f"/nowhere/?token={secret}"):
        assert get(server, path, Authorization=f"Bearer {BAD}", Referer=f"http://x/?token={secret}").status in {
            401,
            404,
        }
    assert ask(server, "DELETE", "/api/token/", **as_alice).status == 204
    assert get(server, "/api/me", **as_alice).status == 401


async def use_sockets(first: Server, second: Server) -> None:
    """Log in by header and by message, with good ones, bad ones and half ones; talk."""
    async with member(first, "alice", "den") as alice, member(second, "root", "den") as root:
        await alice.say(BODY)
        await root.hear(BODY)
        await root.send("delete", seq=1)
        await alice.next("deleted")
    for server in (first, second):
        for headers in (bearer("alice"), {"Authorization": f"Bearer {BAD}"}, {}):
            async with connect(f"{server.ws}/ws/secure-echo/?token={BAD}", additional_headers=headers) as socket:
                with suppress(ConnectionClosed):  # by a bad header
                    await socket.send(json.dumps({"token": TOKENS["root"] if headers else BAD}))
                    await socket.recv()
        async with connect(f"{server.ws}/ws/chat/den/?login=message") as socket:
            await socket.send(json.dumps({"token": TOKENS["root"]}))
            assert json.loads(await socket.recv())["status"] == "ok"
        async with connect(f"{server.ws}/ws/chat/den/") as socket:
            await socket.send(f'{{"token": "{TOKENS["root"]}"')
            await socket.send(json.dumps({"action": "auth", "token": [TOKENS["root"]]}))
            await socket.send(json.dumps({"token": BAD}))
            await closed(socket)
    async with connect(f"{first.ws}/ws/notifications/", additional_headers=bearer("alice")) as socket:
        await socket.send(json.dumps({"action": "publish", "topic": "alerts", "message": BODY, "title": BODY}))
        await socket.recv()


async def test_no_secret_is_left_anywhere(site: Site, pair: tuple[Server, Server]) -> None:
    first, second = pair
    secrets = Secrets({"the password": PASSWORD, "a wrong password": WRONG, "a new password": CHANGED})
    secrets |= {"a password by admin": GIVEN, "a bad token": BAD[SHOWN_CHARACTERS:]}
    secrets |= {f"the token of {name}": secret[SHOWN_CHARACTERS:] for name, secret in TOKENS.items()}
    with traffic(site.redis) as heard:
        make = "from chat.models import Room; from notifications.models import Topic; "
        first.manage("shell", "-c", make + "Room.objects.create(name='den'); Topic.objects.create(name='alerts')")
        use_api(first, secrets)
        await use_sockets(first, second)
        headers = {"Cookie": secrets.browser(first, "bob")}
        async with connect(f"{first.ws}/ws/notifications/", origin=Origin(first.http), additional_headers=headers):
            use_admin(second, secrets)
        use_pages(first, secrets)
        places = await left_behind(site, heard, first, second)
    for where, needed in (
        ("the database", BODY),
        ("Redis", ":cache"),
        ("Redis's traffic", BODY),
        ("the logs", "alice"),
    ):
        assert needed in places[where], where
    known = {(name, "the database") for name in secrets if name.startswith("sessionid")}  # Django looks them up there
    assert leaks(secrets, places) - known == set()
    assert leaks({"a message": BODY}, {"the logs": places["the logs"]}) == set()


async def test_the_search_finds_what_is_left(site: Site, pair: tuple[Server, Server]) -> None:
    first, second = pair
    planted = {"in a row": new_secret(), "in a session": new_secret(), "as a key": new_secret()}
    planted |= {"as a value": new_secret(), "said": new_secret(), "logged": new_secret()}
    code = """
from chat.models import Room
from django.contrib.sessions.backends.db import SessionStore
Room.objects.create(name="planted", description={0!r})
session = SessionStore()
session["new_secret"] = {1!r} * 20
session.create()
"""
    with traffic(site.redis) as heard, Redis.from_url(site.redis.url) as client:
        first.manage("shell", "-c", code.format(planted["in a row"], planted["in a session"]))
        client.set(planted["as a key"], 1)
        client.hset("hash", "field", f"\0{planted['as a value']}\xff")
        client.publish("channel", planted["said"])
        assert log_in(second, planted["logged"], WRONG) == 200
        second.wait_until(lambda: "login denied" in second.log, "it is in the log")
        places = await left_behind(site, heard, first, second)
    by_place = {
        "the database": {"in a row", "in a session"},
        "Redis": {"as a key", "as a value"},
        "Redis's traffic": {"as a key", "as a value", "said"},
        "the logs": {"logged"},
    }
    expected = {(name, place) for place, names in by_place.items() for name in names}
    assert leaks(planted, places) >= expected


@pytest.mark.parametrize("form", sorted(forms("p&ss wörd")))
def test_a_secret_is_found_in_any_form(form: str) -> None:
    assert leaks({"a": "p&ss wörd"}, {"here": f"x{form}y", "there": "p&ss"}) == {("a", "here")}
