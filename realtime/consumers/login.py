"""Who speaks on a socket, by its handshake's credentials or by a token that is sent on it; for how long, how much."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, ClassVar, NoReturn

from realtime.access import Credential, Identity, Verify
from realtime.conf import conf
from realtime.consumers.sending import Sender
from realtime.hub.hub import Hub
from realtime.limits import size_of
from realtime.models import new_sender_id
from realtime.peer import peer_of
from realtime.people import id_of
from realtime.protocol import AuthResult, Close, CloseCode, Refused, is_object, parse_object
from realtime.rates import Strikes, cost_of, rates

UNKNOWN = Identity("guest:", "Guest")
"""Who speaks on a socket before that is known."""


def login_secret(text: str) -> str | None:
    """The token in a login message, or None if the frame is none: an object with `token`, and at most `auth`."""
    if not is_object(text) or '"token"' not in text:
        return None
    try:
        value = parse_object(text)
    except Refused:
        return None
    if "token" not in value or value.get("action", "auth") != "auth":
        return None
    return value["token"] if isinstance(value["token"], str) else ""


class Speaker(Sender):
    """The part of a socket that knows who speaks. The scope says whom the handshake brought; see realtime.asgi."""

    __slots__ = ("_expiry", "_holder", "hub", "query", "strikes")

    login_required: bool = False
    """Nobody speaks here who has not logged in."""
    names_people: ClassVar[bool] = False
    """Whether others are told who speaks here, so that an id is looked up by which they know them."""

    hub: Hub

    def __init__(self) -> None:
        super().__init__()
        self.identity = UNKNOWN
        self.query: dict[str, str] = {}
        """The query string; of a name given twice, the last."""
        self._holder = ""
        """Whom this socket is counted for; see OpenSockets.enter."""
        self._expiry: asyncio.TimerHandle | None = None
        self.strikes = Strikes()

    @property
    def verify(self) -> Verify | None:
        """What looks at this socket's login again."""
        found: Verify | None = self.scope.get("verify")
        return found

    async def identified(self) -> None:
        """Called when a login on the open socket has changed who is speaking, or what by."""

    async def log_in(self, secret: str) -> None:
        """Become the owner of a token on the open socket, or be told off and closed with 1008."""
        await self._become_owner(secret)
        await self.identified()

    def count(self, frame: str | bytes) -> None:
        """Count a frame, by its bytes, for whoever speaks: on all their sockets and in their requests together.

        Raises Refused `rate_limited`; the third time within a minute also closes this socket.
        """
        try:
            rates.here().take(self.identity.key, cost_of(size_of(frame)), together=self._network)
        except Refused as refusal:
            raise self.strikes.refuse(refusal) from None

    def owe(self, cost: float) -> None:
        """Count what a command that was counted costs more, as so many others: the next ones wait for it."""
        rates.here().owe(self.identity.key, cost, together=self._network)

    @property
    def _network(self) -> str:
        """The network whose guests are counted together too; of a user none."""
        return "" if self.identity.user else peer_of(self.scope).network

    async def _first_text(self) -> str:
        """The text of the first frame; raises Close if there is none to come."""
        raise NotImplementedError

    def _identify(self) -> None:
        """Be whom the handshake brought."""
        user = self.scope.get("user")
        if user is not None and user.is_authenticated:
            self._speak_as(Identity.of_user(user, self.scope.get("token"), self.scope.get("session_key")))
        else:
            key = self.scope.get("guest_key")
            self.identity = Identity.of_guest(key)
            if key is None or not self.scope.get("guest_stays", True):  # nobody will come back by it
                self.identity = replace(self.identity, sender_id=new_sender_id())

    def _speak_as(self, identity: Identity) -> None:
        """Be somebody, until their token ends."""
        self.identity = identity
        self._end_with(identity.token)

    def _go_on_as(self, now: Identity) -> None:
        """Be who one was, as it was read now; what is the same is not kept anew, since each socket would."""
        if not self.identity.is_of(now):
            self.identity = replace(now, sender_id=self.identity.sender_id)
        self._end_with(now.token)

    def _end_with(self, token: Credential | None) -> None:
        """Close when a token ends, to the second. What ends after the next review is left to that, without a timer."""
        self._forget_expiry()
        seconds = None if token is None else token.seconds_left
        if seconds is not None and seconds < 2 * conf.review_interval:
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(seconds, self.end, CloseCode.REVOKED, "token expired")

    def _forget_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    def _hold(self) -> None:
        """Count this socket for its user, or a guest's for its network."""
        holder = self.identity.key if self.identity.user else peer_of(self.scope).network
        self._let_go()
        if not self.hub.sockets.enter(holder):
            raise Refused("rate_limited", "Too many connections", close=CloseCode.TRY_LATER)
        self._holder = holder
        # Taken once, however often somebody logs in on this socket; what came by HTTP has none.
        counted_for = self.scope.pop("counted_for", "") if self.identity.user else ""
        if counted_for and rates.here().logged_in(counted_for, self.identity.key):
            raise Refused("rate_limited", "Too many connections in a short time", close=CloseCode.TRY_LATER)

    def _let_go(self) -> None:
        if self._holder:
            self.hub.sockets.leave(self._holder)
            self._holder = ""

    async def _log_in_first(self) -> None:
        """Wait for a login, where the route needs one or the client announced one (`?login=message`)."""
        if why := self.scope.get("bad_token"):
            await self._deny(why)
        if self.query.get("login") != "message" and (self.identity.user is not None or not self.login_required):
            known = await self._with_id(self.identity)
            self.identity = replace(self.identity, sender_id=known.sender_id)  # a review may have been meanwhile
            return
        try:
            async with asyncio.timeout(conf.login_timeout or None):
                text = await self._first_text()
        except TimeoutError:
            await self._deny("Authentication timeout")
        secret = login_secret(text)
        if secret is None:
            await self._deny('Authentication required: send {"token": "…"} first')
        await self._become_owner(secret)

    async def _become_owner(self, secret: str) -> None:
        authenticate: Callable[[str], Awaitable[Credential | None]] | None = self.scope.get("authenticate")
        try:
            token: Any = await authenticate(secret) if authenticate else None
        except Refused as refusal:
            await self._deny(refusal.message)
        if token is None:
            await self._deny("Invalid token")
        self._speak_as(await self._with_id(Identity.of_user(token.owner, token)))
        self._hold()
        self.log("login")
        told = AuthResult(status="ok", username=self.identity.name, sender_id=self.identity.sender_id or None)
        await self.reply(told)

    async def _with_id(self, identity: Identity) -> Identity:
        """The same, with the id that others know them by."""
        if not self.names_people or identity.sender_id:
            return identity
        return replace(identity, sender_id=await id_of(identity.key, peer_of(self.scope).network))

    async def _deny(self, message: str) -> NoReturn:
        self.log("login denied: %s", message)
        await self.reply(AuthResult(status="error", message=message))
        raise Close(CloseCode.POLICY, "Authentication failed")
