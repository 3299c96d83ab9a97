"""Who has an id by which others know them: a user as they are now, or a guest."""

from dataclasses import replace
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from realtime.access import Identity
from realtime.connections.control import who
from realtime.connections.report import Wanted
from realtime.models import Person
from realtime.streams.stream import Stream

USER = "user:"


def person_of(sender_id: str, stream: Stream | None = None) -> Identity | None:
    """Who has this `sender_id`, with their identity key, their name and, where they are a user, the user; None: nobody.

    A guest is called what they are called in the newest entry of theirs in `stream`, else as their key looks. One whom
    no cookie keeps is found by such an entry, or while they are connected; then other processes are asked, which takes
    up to half a second. Synchronous.
    """
    entry = stream.appended().filter(sender_id=sender_id).order_by("-seq").first() if stream and sender_id else None
    person = Person.objects.filter(pk=sender_id).first()
    key = person.key if person else entry.sender_key if entry else ""
    if key.startswith(USER):
        user = _user(key.removeprefix(USER))
        return None if user is None else replace(Identity.of_user(user), sender_id=sender_id)
    if entry is not None:
        return Identity(key, entry.sender_name, sender_id=sender_id)
    if key.startswith("guest:"):
        return replace(Identity.of_guest(key.removeprefix("guest:")), sender_id=sender_id)
    rows = who(Wanted({"sender": sender_id})).rows if sender_id else []
    return Identity(rows[0]["identity"], rows[0]["who"], sender_id=sender_id) if rows else None


def user_of(sender_id: str) -> Any:
    """The user who has this `sender_id`, deactivated or not; None where nobody or a guest has it. Synchronous."""
    person = Person.objects.filter(pk=sender_id, key__startswith=USER).first()
    return _user(person.key.removeprefix(USER)) if person else None


def _user(pk: str) -> Any:
    try:
        return get_user_model()._default_manager.filter(pk=pk).first()
    except (ValidationError, ValueError):
        return None
