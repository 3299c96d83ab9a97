"""Streams as visitors meet them: by name, and those that they may read."""

from typing import Any, Self

from django.conf import settings
from django.contrib.auth import get_permission_codename
from django.db import models
from django.db.models import Count, F, Max, Q

from realtime.access import AccessLevel, Identity, require
from realtime.protocol import CloseCode, Refused
from realtime.secrecy import NOT_SAYABLE, holds_secret
from realtime.streams.grants import GRANT_FIELDS, granted_to
from realtime.streams.name import is_name, validate_name


def missing(model: type[models.Model]) -> str:
    """What is said where there is no such stream."""
    return f"There is no such {model._meta.verbose_name}."


def may_make(model: type[models.Model], user: Any) -> bool:
    """Tell whether a user may make streams of a kind: in development anybody, in production by permission to add them.

    None is a guest.
    """
    return settings.DEBUG or (user is not None and bool(user.has_perm(added_by(model))))


def added_by(model: type[models.Model]) -> str:
    """The permission to add rows of a model: `chat.add_room`."""
    return f"{model._meta.app_label}.{get_permission_codename('add', model._meta)}"


class StreamQuerySet(models.QuerySet[Any]):
    """Streams as visitors meet them."""

    def open(self, name: str, visitor: Identity, *, make: bool = True) -> Any:
        """The stream of that name, made by its first visitor where they may make one: see `may_make`.

        With `make` false nobody does in production: a link or an image on another site's page can ask that much in
        somebody's name. Raises Refused with close code 4500 for what is no name, and 4504 where none has that name.
        """
        kind = self.model._meta.verbose_name
        if holds_secret(name):  # before it is lower-cased: a name is told to others
            raise Refused("invalid", f"Bad {kind} name: {NOT_SAYABLE}", close=CloseCode.BAD_NAME)
        name = name.lower()
        if not is_name(name):
            raise Refused("invalid", f"Bad {kind} name. {validate_name.message}", close=CloseCode.BAD_NAME)
        stream = self.filter(name=name).first()
        if stream is not None:
            return stream
        if (make or settings.DEBUG) and may_make(self.model, visitor.user):
            fresh = self.model(name=name)
            if not (visitor.has_scope("read", fresh) or visitor.has_scope("write", fresh)):
                require(visitor, "read", fresh)
            return self.get_or_create(name=name)[0]
        raise Refused("not_found", missing(self.model), close=CloseCode.NO_SUCH_STREAM)

    def with_said(self) -> Self:
        """Histories with what may be read of them: `said`, how many entries, and `latest`, when the last of them came.

        What tells that something was changed or deleted is no such entry, nor is what was deleted or pruned.
        """
        name = self.model.entry_model._meta.get_field("stream").related_query_name()
        said = Q(**{f"{name}__target": None, f"{name}__deleted": False, f"{name}__seq__gte": F("first_seq")})
        return self.annotate(said=Count(name, filter=said), latest=Max(f"{name}__created_at", filter=said))

    def readable_by(self, identity: Identity) -> Self:
        """The streams that `identity` may read, without regard to the scopes of a token."""
        if identity.is_superuser:
            return self.all()
        if identity.user is None:
            return self.exclude(guest_access=AccessLevel.NONE)
        granted = Q()
        for name in GRANT_FIELDS:
            granted |= Q(pk__in=granted_to(self.model, name, identity.user))
        return self.filter(~Q(member_access=AccessLevel.NONE) | granted)
