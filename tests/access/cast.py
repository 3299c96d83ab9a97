"""The people and tokens of the table, and the streams they try."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.contrib.auth.models import Group, Permission, User
from django.core.signing import TimestampSigner
from django.db import transaction
from django.db.models.functions import Now
from django.test import AsyncClient, Client

from accounts.guests import COOKIE
from accounts.models import Token
from accounts.secret import new_secret
from chat.models import Room, Sanction
from counter.models import Counter
from notifications.models import Topic
from realtime.access import Identity
from realtime.testing import OWN_ORIGIN
from tests.access.table import BAD_TOKENS, RIGHTS, STREAMS, TOKENS
from tests.processes import PASSWORD

LEVELS = {"s-team": ("none", "write"), "s-board": ("none", "none"), "s-vault": ("none", "none")}
OPS = Identity("user:0", "ops")
C = TypeVar("C", Client, AsyncClient)
PEOPLE = [who for who in RIGHTS if who not in TOKENS and who != "guest"]


@dataclass
class Actor:
    """Somebody, and how a client of theirs says so."""

    name: str
    cookie: str = ""
    secret: str | None = None

    @property
    def socket(self) -> dict[str, Any]:
        """For realtime.testing.connect."""
        if self.secret is not None:
            return {"secret": self.secret}
        return {"headers": {"origin": OWN_ORIGIN, "cookie": self.cookie}}

    def using(self, client: C) -> C:
        """A client with their cookie; what it asks goes with `headers`."""
        client.cookies.load(self.cookie)
        return client

    @property
    def headers(self) -> dict[str, str]:
        """Of their HTTP requests."""
        return {} if self.secret is None else {"Authorization": f"Bearer {self.secret}"}


@dataclass
class Cast:
    """Everybody, by name; `spare` is the secret of a token that can log in with everything."""

    actors: dict[str, Actor]
    spare: str

    def __iter__(self) -> Iterator[Actor]:
        return iter(self.actors.values())


@transaction.atomic
def make_cast() -> Cast:
    """Make all of it."""
    people = {who: _person(who) for who in PEOPLE}
    _make_streams(people)
    actors = {who: Actor(who, cookie=_log_in(person)) for who, person in people.items()}
    people["deactivated"].is_active = False
    people["deactivated"].save()
    actors["guest"] = Actor("guest", cookie=f"{COOKIE}={TimestampSigner(salt='chorus.guest').sign('some-guest')}")
    for who in TOKENS:
        owner = people["superuser" if who.startswith("superuser's") else "writer"]
        scopes = who.removeprefix("superuser's ").split()
        actors[who] = Actor(who, secret=Token.issue(owner, who, scopes)[1])
    secrets = (_revoked(people["writer"]), _expired(people["writer"]), _issued(people["deactivated"]), new_secret())
    for who, secret in zip(BAD_TOKENS, secrets, strict=True):
        actors[who] = Actor(who, secret=secret)
    return Cast(actors, _issued(people["superuser"]))


def _person(who: str) -> User:
    person = User.objects.create_user(who.replace(" ", "_"), password=PASSWORD)
    person.is_staff, person.is_superuser = who in {"staff", "superuser"}, who == "superuser"
    person.save()
    if who == "moderator":
        person.user_permissions.add(Permission.objects.get(codename="moderate_room"))
    if who.startswith("member of "):
        person.groups.add(Group.objects.create(name=who))
    return person


def _make_streams(people: dict[str, User]) -> None:
    for name in STREAMS:
        guests, members = LEVELS.get(name, ("write", "write"))
        for model in (Room, Counter, Topic):
            stream: Any = model.objects.create(name=name, guest_access=guests, member_access=members)
            if name == "s-board":
                stream.readers.add(people["reader"])
                stream.writers.add(people["writer"])
                stream.reader_groups.add(Group.objects.get(name="member of a reading group"))
                stream.writer_groups.add(Group.objects.get(name="member of a writing group"))
        room = Room.objects.get(name=name)
        room.post(OPS, "something")
        Topic.objects.get(name=name).publish(OPS, "something")
        for who, kind in (("muted", Sanction.Kind.MUTE), ("banned", Sanction.Kind.BAN)):
            room.sanction(kind, Identity.of_user(people[who]), None)
    Counter.objects.create(name="default", guest_access="write", member_access="write")


def _log_in(person: User) -> str:
    client = Client()
    client.force_login(person)
    return f"sessionid={client.cookies['sessionid'].value}"


def _issued(owner: User) -> str:
    return Token.issue(owner, "some")[1]


def _revoked(owner: User) -> str:
    token, secret = Token.issue(owner, "revoked")
    token.revoke()
    return secret


def _expired(owner: User) -> str:
    token, secret = Token.issue(owner, "expired")
    Token.objects.filter(pk=token.pk).update(expires_at=Now() - timedelta(seconds=1))
    return secret
