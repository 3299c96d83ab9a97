"""Forty hostile strings, a site that has them as every name and text, and the eye that sees whether one of them ran."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Dialog, Page

from tests.processes import Server, serve

# Each sets `__pwned` in the page, or brings an element of that class, if it is ever more than text.
HOSTILE: dict[str, str] = {
    "script": "<script class=__pwned>__pwned=1</script>",
    "image": "<img class=__pwned src=x onerror=__pwned=2>",
    "svg": "<svg class=__pwned onload=__pwned=3><animate onbegin=__pwned=3 attributeName=x dur=1s>",
    "out of double quotes": '" autofocus onfocus="__pwned=4" class="__pwned',
    "out of single quotes": "' autofocus onfocus='__pwned=5' class='__pwned",
    "out of no quotes": "x onmouseover=__pwned=6 class=__pwned tabindex=1",
    "javascript address": "javascript:__pwned=7//",
    "hidden javascript address": "jAvA\tscRipt&colon;__pwned=8//",
    "data address": "data:text/html,<script>parent.__pwned=9</script>",
    "out of a script": "</script><script class=__pwned>__pwned=10</script>",
    "out of a title": "</title></textarea></style></option></select><img class=__pwned src=x onerror=__pwned=11>",
    "out of a comment": "--><img class=__pwned src=x onerror=__pwned=12><!-- ]]><![CDATA[<b class=__pwned>",
    "out of a string": "\\';__pwned=13;//\\\";__pwned=13;//`${__pwned=13}`",
    "template": "{{ 7|add:1330 }}{% now 'Y' %}{% include 'admin/base.html' %}{{ request.user.password }}",
    "template literal": "${__pwned=15}#{__pwned=15}<%= __pwned=15 %>[[${__pwned=15}]]",
    "style element": "</style><style class=__pwned>*{display:none!important}</style>",
    "style attribute": '" style="position:fixed;inset:0;background:url(//evil.example/17)" class="__pwned',
    "frame": '<iframe class=__pwned srcdoc="<script>parent.__pwned=18</script>"></iframe>',
    "refresh": '<meta class=__pwned http-equiv=refresh content="0;url=//evil.example/19">',
    "base": "<base class=__pwned href=//evil.example/20/><link class=__pwned rel=stylesheet href=//evil.example/20>",
    "form": "</form><form class=__pwned action=//evil.example/21><button class=__pwned>OK</button>",
    "link": '<a class=__pwned href="javascript:__pwned=22">Click</a>',
    "entities": "&lt;script&gt;__pwned=23&lt;/script&gt; &#x3C;b&#62; &quot; &nbsp; &amp;amp;",
    "escapes": "\\u003cscript\\u003e__pwned=24\\u003c/script\\u003e \\x3cb\\x3e \\074b\\076",
    "percent": "%3Cscript%3E__pwned=25%3C/script%3E%00%0d%0aSet-Cookie:%20__pwned=1",
    "address in a text": 'http://evil.example/"onmouseover="__pwned=26 https://a@b:c/<script>__pwned=26</script>',
    "SQL": "'; DROP TABLE chat_room; -- ' OR '1'='1",
    "shell": "$(touch /tmp/__pwned) `id` | cat ; ${IFS} && rm -rf ~ > /dev/null",
    "path": "../../../../etc/passwd ..\\..\\boot.ini file:///etc/passwd",
    "header": "x\r\nSet-Cookie: __pwned=30\r\nLocation: //evil.example/30\r\n\r\n<script>__pwned=30</script>",
    "format": "%s%n%(password)s%% {0.__class__} {password!r:>9999} $1 \\1",
    "name of a property": "__proto__",
    "bidirectional": "safe\u202egnp.exe\u202d \u2066left\u2067right \u200e\u200f\u061c",
    "zero width": "z\u200be\u200cr\u200do\ufeff w\u2060id\u00adth \u2028line\u2029paragraph\u0085",
    "control": "a\x07b\x1b[2J\x1b]0;x\x07c\x7f\x9bd\x08\x0b\x0c",
    "NUL": "ro\x00ot",
    "very long": "W" * 9_000,
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\U0001f3f3\ufe0f\u200d\U0001f308"
    "\U0001f1e9\U0001f1ea1\ufe0f\u20e3\U0001f44d\U0001f3ff" * 3,
    "combining": "Z" + "\u0300\u0316\u0301\u0317\u0334" * 20 + "a\u0308l\u0489go \U0010ffff\ue000\ufdd0",
    "right to left": "\u0645\u0631\u062d\u0628\u0627 <b class=__pwned>\u05e9\u05dc\u05d5\u05dd</b> (abc) [123]",
}
LONE = "half \ud800 a pair \udfff"
"""What a browser can have in a field, but nobody can store; it arrives as MENDED."""
MENDED = "half \ufffd a pair \ufffd"
ALL = " \u2069\u202c".join(HOSTILE.values())
"""All in one, each after the directions of the ones before are closed."""

_SEED = """
import json
import re
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from accounts.models import Token
from accounts.secret import digest, new_secret
from chat.models import Message, Room, Sanction
from counter.models import Change, Counter
from notifications.models import Notification, Topic
from realtime.access import Identity
from django.db import transaction

TEXTS, ALL = {texts}, {all}

def user(text, **more):
    found = User(username=text, first_name=text, last_name=text, email=text, password="!", **more)
    found.save()
    return found

def token(owner, name):
    secret = new_secret()
    Token.objects.create(owner=owner, name=name, prefix=secret[:15], digest=digest(secret), scopes=["*"])
    return secret

with transaction.atomic():
    users = [user(text[:150]) for text in TEXTS]
    every = user(ALL, is_staff=True, is_superuser=True)
    secrets = [token(each, text[:100]) for each, text in zip(users, TEXTS)]
    for text in [*TEXTS, ALL]:
        token(every, text[:100] if text != ALL else ALL)
    groups = [Group.objects.create(name=text) for text in [*(text[:150] for text in TEXTS), ALL]]
    for model in (Room, Topic, Counter):
        for number, text in enumerate([*TEXTS, ALL]):
            fields = {{"title": text[:200] if text != ALL else ALL}}
            if model is not Counter:
                fields["description"] = text[:500] if text != ALL else ALL
            last = model.objects.create(name="all" if text == ALL else f"one-{{number}}", **fields)
        for field, values in (("readers", [*users, every]), ("writer_groups", groups)):
            getattr(last, field).set(values)
    Room.objects.create(name="typed")
    Counter.objects.create(name="default")
    room, topic, counter = (model.objects.get(name="all") for model in (Room, Topic, Counter))
    for sender, text in zip([*users, every], [*TEXTS, ALL]):
        who = Identity.of_user(sender)
        said = room.append(Message.by(who, None, text=text))
        tags, title = ([text[:32]], text[:250]) if text != ALL else (TEXTS, ALL)
        note = topic.append(Notification.by(who, None, message=text, title=title, tags=tags))
        counter.append(Change.by(who, None, target=said.seq, reason=text[:200]))
        kept = {{"name": sender.username, "reason": text, "identity_key": f"user:{{sender.pk}}", "by": sender}}
        sanction = Sanction.objects.create(room=Room.objects.get(name="one-1"), kind="ban", **kept)
    shown = {{"chat.room": room, "chat.message": said, "chat.sanction": sanction, "counter.counter": counter,
              "notifications.topic": topic, "notifications.notification": note, "auth.user": every,
              "auth.group": groups[-1], "accounts.token": Token.objects.get(name=ALL)}}
    for each in shown.values():
        for text in TEXTS:
            LogEntry.objects.create(user=every, content_type=ContentType.objects.get_for_model(each),
                object_id=str(each.pk), object_repr=text[:200], action_flag=CHANGE, change_message=text)
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(every.pk), every.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.create()
print()
keys = {{label: each.pk for label, each in shown.items()}}
print(json.dumps({{"session": session.session_key, "secrets": secrets, "keys": keys}}))
"""

_LOOK = """() => {
  const unsafe = (element) => ["href", "src", "action", "formaction", "data", "xlink:href", "poster"].some((name) => {
    const value = element.getAttribute(name);
    if (value === null) return false;
    const found = URL.parse(value, document.baseURI);
    return !found || !["http:", "https:"].includes(found.protocol);
  });
  const all = Array.from(document.querySelectorAll("*"));
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest("script, style")) texts.push(walker.currentNode.data);
  }
  for (const field of document.querySelectorAll("input, textarea")) texts.push("\\n", field.value);
  const told = (unwanted) => all.filter(unwanted).map((element) => element.outerHTML);
  return {
    ran: [window.__pwned, ({}).polluted].filter((value) => value !== undefined),
    markup: told((element) => element.classList.contains("__pwned")),
    handlers: told((element) => element.getAttributeNames().some((name) => name.startsWith("on"))),
    addresses: told(unsafe),
    cookies: document.cookie.includes("__pwned") ? [document.cookie] : [],
    shown: texts.join(""),
  };
}"""


@dataclass
class Site:
    """A server whose every name and text is hostile."""

    server: Server
    session: str
    """Logs in the superuser whose name is ALL."""
    secrets: list[str]
    """Tokens of users who are called what HOSTILE holds, in its order."""
    keys: dict[str, int]
    """By the label of a model the primary key of the row that holds ALL."""

    @property
    def cookie(self) -> Any:
        """For a browser."""
        return {"name": "sessionid", "value": self.session, "url": self.server.http}


@contextmanager
def hostile_site(env: dict[str, str]) -> Iterator[Site]:
    """Run one; the database takes what no form would."""
    with serve(env) as server:
        code = _SEED.format(texts=ascii(list(HOSTILE.values())), all=ascii(ALL))
        made = json.loads(server.shell(code).splitlines()[-1])
        yield Site(server, **made)
        assert "Traceback" not in server.log
        assert '"level": "error"' not in server.log


def plain(text: str) -> str:
    """What of a text a page shows as it is: HTML changes white space, control characters and NUL, nothing else."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\ufffd]+", "", text)


def watched(context: BrowserContext, at: Server, problems: list[str]) -> None:
    """Note what `problems` does not hold yet: dialogs, and requests to anybody but this server."""

    def asked(url: str) -> None:
        if urlsplit(url).netloc != f"127.0.0.1:{at.port}" and not url.startswith(("data:", "about:")):
            problems.append(f"asked for {url}")

    def dismiss(dialog: Dialog) -> None:
        problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def opened(page: Page) -> None:
        page.on("websocket", lambda socket: asked(socket.url))
        page.on("dialog", dismiss)

    context.on("request", lambda request: asked(request.url))
    context.on("page", opened)
    for page in context.pages:
        opened(page)


def nothing_ran(page: Page, problems: list[str], *shown: str, most: int = 10_000) -> None:
    """Assert that a page is whole, ran nothing of what people wrote, and shows these (the first characters)."""
    seen = page.evaluate(_LOOK)
    text = plain(seen.pop("shown"))
    assert {what: found for what, found in seen.items() if found} == {}, page.url
    assert problems == [], page.url
    assert [each for each in shown if plain(each[:most]) not in text] == [], page.url
