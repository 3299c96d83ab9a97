"""The table: who there is, what they may do in which stream, and what each command, operation and page needs.

Refusals follow from the need and are those of docs/protocol.md and docs/http.md; see Need.
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple

STREAMS = ("s-open", "s-team", "s-board", "s-vault", "alerts.disk", "backups.db")
"""One of each name in every app. Guests and members write in s-open, alerts.disk and backups.db; members in s-team;
some people and groups in s-board (see cast); nobody in s-vault."""


class Rights(NamedTuple):
    """What somebody may do in each of STREAMS, by app: `w` read and write, `r` read, `o` write only, `-` nothing."""

    chat: str
    counter: str
    notifications: str

    def may(self, app: str, action: str, stream: str) -> bool:
        """Tell whether they may `read` or `write` there."""
        letter = getattr(self, app).split()[STREAMS.index(stream)]
        return letter in ("wr" if action == "read" else "wo")


def alike(rights: str) -> Rights:
    """The same in all apps."""
    return Rights(rights, rights, rights)


NONE = "- - - - - -"
MEMBER = "w w - - w w"
WRITER = "w w w - w w"

RIGHTS: dict[str, Rights] = {
    # open team board vault alerts.disk backups.db
    "guest": alike("w - - - w w"),
    "member": alike(MEMBER),
    "reader": alike("w w r - w w"),
    "writer": alike(WRITER),
    "member of a reading group": alike("w w r - w w"),
    "member of a writing group": alike(WRITER),
    "member of another group": alike(MEMBER),
    "moderator": alike(MEMBER),
    "staff": alike(MEMBER),
    "superuser": alike("w w w w w w"),
    "muted": Rights("r r - - r r", MEMBER, MEMBER),
    "banned": Rights(NONE, MEMBER, MEMBER),
    "deactivated": alike("w - - - w w"),  # their session is nobody's
    # By a token; but for the last, its owner is the writer.
    "*": alike(WRITER),
    "chat:read": Rights("r r r - r r", NONE, NONE),
    "chat:write": Rights("o o o - o o", NONE, NONE),
    "chat:read chat:write": Rights(WRITER, NONE, NONE),
    "chat:write:s-open": Rights("o - - - - -", NONE, NONE),
    "counter:read": Rights(NONE, "r r r - r r", NONE),
    "counter:write": Rights(NONE, "o o o - o o", NONE),
    "counter:read counter:write": Rights(NONE, WRITER, NONE),
    "notifications:subscribe:alerts.*": Rights(NONE, NONE, "- - - - r -"),
    "notifications:publish:backups.*": Rights(NONE, NONE, "- - - - - o"),
    "notifications:subscribe notifications:publish": Rights(NONE, NONE, WRITER),
    "superuser's chat:read": Rights("r r r r r r", NONE, NONE),
    "superuser's chat:moderate": alike(NONE),
}
"""By who they are; those without an entry here cannot log in: see BAD_TOKENS."""

BAD_TOKENS = ("revoked token", "expired token", "deactivated owner's token", "token that never was")
"""Closed with 1008, answered 401; on pages, where only cookies count, they are guests."""

TOKENS = tuple(who for who in RIGHTS if who == "*" or ":" in who)
GUESTS = ("guest", "deactivated")
SUPERUSERS = ("superuser",)
MODERATORS = ("moderator", "superuser")
BY_TOKEN = "superuser's chat:moderate"
"""It neither reads nor writes, and keeps order wherever its owner may."""
OWN_TOPIC = {
    **{who: who not in GUESTS and who not in TOKENS for who in RIGHTS},
    "*": True,
    "notifications:subscribe notifications:publish": True,
}
"""Who may read their own topic `me`."""


PRIVATE = ("s-board", "s-vault")


def hidden(who: str, app: str, stream: str) -> bool:
    """Tell whether a stream answers them as one that is not there: it is private, and they may do nothing in it."""
    return stream in PRIVATE and not any(RIGHTS[who].may(app, action, stream) for action in ("read", "write"))


class Need(Enum):
    """What something asks of who does it, and how it is refused."""

    NOTHING = auto()
    READ = auto()
    """`forbidden`: 403, to guests 401; a room's or counter's socket closes with 4506; a page answers 404.
    What is `hidden` is `not_found`: 404, 4504."""
    WRITE = auto()
    """`forbidden`: 403, to guests 401; the socket stays open."""
    MODERATE = auto()
    """To write there, and `chat.moderate_room`: `forbidden`, the socket stays open."""
    KEEP_ORDER = auto()
    """To read there, and `chat.moderate_room`; by a token `chat:moderate`. As READ: `forbidden`, or `not_found`."""
    READ_AS_USER = auto()
    """To read there, and be no guest: `forbidden`, the socket stays open."""
    USER = auto()
    """A login: 1008 on a socket, 401 over HTTP, the login page for a page."""
    TOKEN = auto()
    """A token: 401."""


@dataclass(frozen=True)
class Row:
    """A command, an HTTP operation or a page. In what is sent, `<stream>` stands for one of STREAMS."""

    app: str
    need: Need
    send: Any = None
    """The command's fields, or the operation's body."""
    answer: Any = None
    """The event that says it was done, or the HTTP status."""
    fixed: str = ""
    """The stream that it is about whatever is asked for."""
    form: dict[str, str] = field(default_factory=dict)

    @property
    def streams(self) -> tuple[str, ...]:
        """Those that it is about; one where they are all the same."""
        return STREAMS if self.app in {"chat", "counter", "notifications"} and not self.fixed else STREAMS[:1]


CHAT, COUNTER, DEFAULT, TOPICS = "/ws/chat/<room>", "/ws/counter/<counter>", "/ws/counter", "/ws/notifications"

COMMANDS: dict[tuple[str, str], Row] = {
    # The plain routes have no commands, only frames.
    ("/ws/echo", ""): Row("", Need.NOTHING, "hi", "hi"),
    ("/ws/greet", ""): Row("", Need.NOTHING, "hi", "Hello hi!"),
    ("/ws/time", ""): Row("", Need.NOTHING, "hi", "20"),
    ("/ws/broadcast", ""): Row("", Need.NOTHING, "hi", "hi"),
    ("/ws/relay", ""): Row("", Need.NOTHING, "hi", None),
    ("/ws/secure-echo", ""): Row("", Need.USER, "hi", "["),
    (CHAT, "send"): Row("chat", Need.WRITE, {"text": "hi"}, "chat"),
    (CHAT, "typing"): Row("chat", Need.WRITE, {}, None),
    (CHAT, "history"): Row("chat", Need.READ, {}, "history"),
    (CHAT, "delete"): Row("chat", Need.MODERATE, {}, "deleted"),
    (COUNTER, "plus"): Row("counter", Need.WRITE, {"id": "1"}, "ack"),
    (COUNTER, "minus"): Row("counter", Need.WRITE, {"id": "2"}, "ack"),
    (COUNTER, "add"): Row("counter", Need.WRITE, {"id": "3", "delta": 5}, "ack"),
    (DEFAULT, "plus"): Row("counter", Need.WRITE, {"id": "1"}, "ack", fixed="s-open"),
    (DEFAULT, "minus"): Row("counter", Need.WRITE, {"id": "2"}, "ack", fixed="s-open"),
    (DEFAULT, "add"): Row("counter", Need.WRITE, {"id": "3", "delta": 5}, "ack", fixed="s-open"),
    (TOPICS, "subscribe"): Row("notifications", Need.READ, {"topics": ["<stream>"]}, "subscribed"),
    (TOPICS, "unsubscribe"): Row("notifications", Need.NOTHING, {"topics": ["<stream>"]}, "unsubscribed"),
    (TOPICS, "publish"): Row("notifications", Need.WRITE, {"topic": "<stream>", "message": "hi"}, "published"),
    (TOPICS, "ack"): Row("notifications", Need.READ_AS_USER, {"topic": "<stream>", "seq": 1}, "acked"),
    # A login is open to everybody who is in, and its own check.
    (CHAT, "auth"): Row("chat", Need.READ, {"token": "<token>"}, "auth"),
    (COUNTER, "auth"): Row("counter", Need.READ, {"token": "<token>"}, "auth"),
    (DEFAULT, "auth"): Row("counter", Need.READ, {"token": "<token>"}, "auth", fixed="s-open"),
    (TOPICS, "auth"): Row("notifications", Need.NOTHING, {"token": "<token>"}, "auth"),
}
"""By route and action."""

OPERATIONS: dict[tuple[str, str], Row] = {
    ("GET", "/api/status"): Row("public", Need.NOTHING, answer=200),
    ("HEAD", "/api/status"): Row("public", Need.NOTHING, answer=200),
    ("GET", "/api/protocol.json"): Row("public", Need.NOTHING, answer=200),
    ("GET", "/api/me"): Row("", Need.NOTHING, answer=200),
    ("POST", "/api/token/"): Row("public", Need.NOTHING, {"username": "member", "password": "<password>"}, 201),
    ("DELETE", "/api/token/"): Row("", Need.TOKEN, answer=204),
    ("GET", "/api/chat/"): Row("", Need.NOTHING, answer=200),
    ("GET", "/api/chat/{room}/messages/"): Row("chat", Need.READ, answer=200),
    ("POST", "/api/chat/{room}/messages/"): Row("chat", Need.WRITE, {"text": "hi"}, 201),
    ("GET", "/api/chat/{room}/people/{person}/"): Row("chat", Need.KEEP_ORDER, answer=200),
    ("POST", "/api/chat/{room}/people/{person}/{kind}/"): Row("chat", Need.KEEP_ORDER, {"seconds": 60}, 201),
    ("DELETE", "/api/chat/{room}/people/{person}/{kind}/"): Row("chat", Need.KEEP_ORDER, answer=204),
    ("POST", "/api/chat/{room}/people/{person}/disconnect/"): Row("chat", Need.KEEP_ORDER, answer=200),
    ("GET", "/api/counter/"): Row("", Need.NOTHING, answer=200),
    ("GET", "/api/counter/{counter}/"): Row("counter", Need.READ, answer=200),
    ("POST", "/api/counter/{counter}/add/"): Row("counter", Need.WRITE, {"delta": 1}, 200),
    ("GET", "/api/notifications/"): Row("", Need.NOTHING, answer=200),
    ("GET", "/api/notifications/stream"): Row("notifications", Need.READ, answer=200, form={"topics": "<stream>"}),
    ("GET", "/api/notifications/{topic}/stream"): Row("notifications", Need.READ, answer=200),
    ("GET", "/api/notifications/{topic}/"): Row("notifications", Need.READ, answer=200),
    ("POST", "/api/notifications/{topic}/"): Row("notifications", Need.WRITE, {"message": "hi"}, 201),
    ("GET", "/api/notifications/{topic}/{seq}/"): Row("notifications", Need.READ, answer=200),
}
"""By method and path as in the OpenAPI schema; those of `public` do not even look at a token."""

PAGES: dict[str, Row] = {
    "": Row("", Need.NOTHING, answer=200),
    "console/": Row("", Need.NOTHING, answer=200),
    "docs/": Row("", Need.NOTHING, answer=200),
    "docs/<slug:name>/": Row("", Need.NOTHING, answer=404),  # no page is called as a stream is
    "favicon.ico": Row("", Need.NOTHING, answer=301),
    "accounts/login/": Row("", Need.NOTHING, answer={200, 302}),  # who is logged in is led on
    "accounts/logout/": Row("", Need.NOTHING, answer=405),  # it wants a POST
    "accounts/password/": Row("", Need.USER, answer=200),
    "accounts/password/done/": Row("", Need.USER, answer=200),
    "accounts/tokens/": Row("", Need.USER, answer=200),
    "chat/": Row("", Need.NOTHING, answer=200),
    "chat/<str:name>/": Row("chat", Need.READ, answer=200),
    "counter/": Row("counter", Need.READ, answer=200, fixed="s-open"),
    "counter/<str:name>/": Row("counter", Need.READ, answer=200),
    "notifications/": Row("notifications", Need.READ, answer=200, form={"topic": "<stream>"}),
    "api/": Row("", Need.NOTHING, answer=404),
    "api/docs": Row("", Need.NOTHING, answer=200),
    "api/openapi.json": Row("", Need.NOTHING, answer=200),
}
"""By route, but for admin, the HTTP operations, and what differs from another by a final slash."""
