"""Streams as visitors meet them: by name, and those that they may read."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from realtime.access import AccessLevel, Identity, require
from realtime.protocol import CloseCode, Refused
from realtime.streams.grants import GRANT_FIELDS, granted_to
from realtime.streams.name import is_name, validate_name


class StreamQuerySet(models.QuerySet[Any]):
    """Streams as visitors meet them."""

    def open(self, name: str, visitor: Identity) -> Any:
        """The stream of that name. In development the first visitor makes it, in production staff do.

        Raises Refused with close code 4500 for what is no name, and 4504 where there is none of that name.
        """
        name = name.lower()
        kind = self.model._meta.verbose_name
        if not is_name(name):
            raise Refused("invalid", f"Bad {kind} name. {validate_name.message}", close=CloseCode.BAD_NAME)
        stream = self.filter(name=name).first()
        if stream is not None:
            return stream
        if settings.DEBUG or getattr(visitor.user, "is_staff", False):
            fresh = self.model(name=name)
            if not (visitor.has_scope("read", fresh) or visitor.has_scope("write", fresh)):
                require(visitor, "read", fresh)
            return self.get_or_create(name=name)[0]
        raise Refused("not_found", f"There is no such {kind}.", close=CloseCode.NO_SUCH_STREAM)

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
