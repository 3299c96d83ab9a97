"""Topics, notifications, and how far each user has seen them; what can be done to them is here."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from notifications import events
from notifications.draft import MAX_TITLE, Draft
from realtime.access import AccessLevel, Action, Identity
from realtime.connections import user_of
from realtime.names import find_user, normal
from realtime.protocol import Refused
from realtime.streams import History, Record, StreamQuerySet

SYSTEM = "system"
"""The topic of the heartbeat; only staff publish there."""
ME = "me"
"""Each user's own topic; others address it as `@` and the user name."""

BY_ID = "id:"
"""After the `@`: what follows is somebody's `sender_id`, which outlives their name. No user name has a colon."""
NOT_PEOPLE = "You may not notify single people."


def known_as(name: str, visitor: Identity) -> str:
    """What a topic's events call it to `visitor`, who may have named it in capitals, or as `@` and their own name."""
    if not name.startswith("@"):
        return name.lower()
    name = normal(name)
    return ME if visitor.user is not None and name == f"@{normal(visitor.user.get_username())}" else name


class TopicQuerySet(StreamQuerySet):
    """Topics as people and programs name them."""

    def open(self, name: str, visitor: Identity, *, make: bool = True) -> "Topic":
        """The topic of that name, `me`, `@` and a user name, or `@id:` and their id; made on first use where one may.

        The topics of people and `system` are there for all: who reads them first makes them, whatever `make` says.

        Raises Refused for a bad name, an unknown topic or user, and a guest's `me`.
        """
        if name.lower() == ME:
            if visitor.user is None:
                raise Refused("forbidden", "Log in first: guests have no topic of their own.")
            return self._of(visitor.user.pk)
        if name.startswith("@"):
            return self._of(self._user(name[1:], visitor).pk)
        topic: Topic
        if name.lower() == SYSTEM:
            readable = {"guest_access": AccessLevel.READ, "member_access": AccessLevel.READ}
            topic, _ = self.get_or_create(name=SYSTEM, defaults=readable)
        else:
            topic = super().open(name, visitor, make=make)
        return topic

    def _user(self, username: str, visitor: Identity) -> Any:
        user: Any = visitor.user
        if user is not None and normal(user.get_username()) == normal(username):
            return user
        # Asked before the name is looked up: who may not notify people cannot find out who there is.
        if user is None or not user.has_perm("notifications.publish_to_people"):
            raise Refused("forbidden", NOT_PEOPLE)
        by_id = username.startswith(BY_ID)
        found = user_of(username.removeprefix(BY_ID)) if by_id else find_user(username, is_active=True)
        if found is None or not found.is_active:
            raise Refused("not_found", f"There is no user @{username}.")
        return found

    def _of(self, user_pk: Any) -> "Topic":
        # No name that people choose starts with @, so none can be taken for a user's own topic.
        nobody = {"guest_access": AccessLevel.NONE, "member_access": AccessLevel.NONE}
        topic: Topic
        topic, _ = self.get_or_create(owner_id=user_pk, defaults={"name": f"@{user_pk}", **nobody})
        return topic

    def readable_by(self, identity: Identity) -> Self:
        """The topics that `identity` may read, but for their own `me`."""
        return super().readable_by(identity).filter(owner=None)


class Topic(History):
    """What notifications are about; people and programs subscribe to it."""

    description = models.CharField(max_length=500, blank=True, help_text="A sentence about what is told here.")
    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="chorus_topic",
    )

    objects: ClassVar[Any] = TopicQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        permissions = (("publish_to_people", "Can notify single people"),)

    def __str__(self) -> str:
        return f"@{self.owner}" if self.owner else super().__str__()

    def get_absolute_url(self) -> str:
        """The page where it can be read."""
        return f"{reverse('notifications:notifications')}?topic={self.public_name}"

    def clean(self) -> None:
        """Refuse a name that would be taken for a user's own topic, too."""
        super().clean()
        if self.name == ME:
            raise ValidationError({"name": f"{ME} is each user's own topic. Choose another name."})

    @property
    def public_name(self) -> str:
        """What its readers call it."""
        return ME if self.owner_id is not None else self.name

    def scope(self, action: Action) -> str:
        """What a token's scopes have to cover: `notifications:publish:backups`, `notifications:subscribe:me`.

        Of those that publish to a person only the ones for all topics do: `notifications:publish`, `*`.
        """
        if action == "read":
            return f"notifications:subscribe:{self.public_name}"
        return f"notifications:publish:{self.name}"

    def denies(self, identity: Identity, action: Action) -> str | None:
        """Why `identity` may not subscribe (`read`) or publish (`write`)."""
        user: Any = identity.user
        if self.owner_id is not None:
            if user is not None and user.pk == self.owner_id:
                return None
            if action == "read":  # superusers too: somebody else's `me` would reach them as their own
                return "This topic is somebody else's own."
            may = user is not None and user.has_perm("notifications.publish_to_people")
            return None if may else NOT_PEOPLE
        if self.name == SYSTEM and action == "write":
            may = user is not None and user.has_perm("notifications.add_notification")
            return None if may else "Only staff publish to system."
        return super().denies(identity, action)

    def hidden(self) -> str | None:
        """A person's own topic is asked for by their name, and says why it is not to be had."""
        return super().hidden() if self.owner_id is None else None

    def publish(self, sender: Identity, message: str, **details: Any) -> "Notification":
        """Tell all who subscribed; broadcast when the surrounding transaction commits.

        `details` are a Draft's: `title`, `priority`, `tags` and `client_id`, each of which may be left out.
        Returns the stored notification, or the first one (`duplicate` set) if `client_id` was used before.
        Raises Refused `too_long`, `invalid` or `id_conflict`. Whether `sender` may is the caller's to check.
        """
        found = self.append(Notification.saying(sender, Draft(message, **details)))
        assert isinstance(found, Notification)
        return found

    def retract(self, sender: Identity, target: int) -> "Notification":
        """Delete the notification at a position: its text goes for good, and an entry tells of it.

        Raises Refused `not_found`. Whether `sender` may is the caller's to check.
        """
        found = self.append(Notification.retracting(sender, target))
        assert isinstance(found, Notification)
        return found


class Notification(Record):
    """Something that was published, or the deletion of it."""

    stream = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="notifications", verbose_name="topic")
    message = models.TextField()
    title = models.CharField(max_length=MAX_TITLE, blank=True)
    priority = models.PositiveSmallIntegerField(
        choices=[
            (1, "1 · lowest"),
            (2, "2 · low"),
            (3, "3 · normal"),
            (4, "4 · high"),
            (5, "5 · stays until dismissed"),
        ],
        default=3,
    )
    tags = models.JSONField(default=list, blank=True)

    emptied: ClassVar[dict[str, Any]] = {"message": "", "title": "", "tags": [], "deleted": True}

    class Meta:
        ordering: ClassVar[list[str]] = ["stream", "seq"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["stream", "seq"], name="notification_position"),
            models.UniqueConstraint(fields=["stream", "sender_key", "client_id"], name="notification_client_id"),
        ]

    @classmethod
    def retracting(cls, sender: Identity, target: int) -> Self:
        """A deletion to be appended, whoever published what it deletes."""
        deletion = cls.deleting(sender, target)
        deletion.may_moderate = True
        return deletion

    @classmethod
    def saying(cls, sender: Identity, draft: Draft) -> Self:
        """A notification to be appended."""
        return cls.by(
            sender,
            draft.client_id,
            message=draft.message,
            title=draft.title,
            priority=draft.priority,
            tags=list(draft.tags),
        )

    def said(self) -> dict[str, Any]:
        """What idempotence compares."""
        return {"message": self.message, "title": self.title, "priority": self.priority, "tags": self.tags}

    def as_event(self) -> "events.NotificationEvent | events.RetractedEvent | events.Tombstone":
        """What the topic's subscribers get."""
        topic = self.stream.public_name
        if self.target is not None:
            return events.RetractedEvent(
                topic=topic,
                seq=self.seq,
                target=self.target,
                by=self.sender_name,
                by_id=self.sender_id or None,
                timestamp=self.created_at,
            )
        if self.deleted:
            return events.Tombstone(
                topic=topic,
                seq=self.seq,
                sender=self.sender_name,
                sender_id=self.sender_id or None,
                timestamp=self.created_at,
            )
        return events.NotificationEvent(
            topic=topic,
            seq=self.seq,
            message=self.message,
            title=self.title or None,
            priority=self.priority,
            tags=self.tags or None,
            sender=self.sender_name,
            sender_id=self.sender_id or None,
            timestamp=self.created_at,
            id=self.client_id,
        )

    def acknowledged_by(self) -> models.QuerySet["Cursor"]:
        """The cursors of users who have acknowledged it."""
        return Cursor.objects.filter(topic_id=self.stream_id, seq__gte=self.seq, epoch=F("topic__epoch"))


class Cursor(models.Model):
    """How far a user has acknowledged a topic."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chorus_cursors")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="cursors")
    seq = models.BigIntegerField()
    epoch = models.CharField(max_length=16)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "topic"], name="notification_cursor"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.topic} up to {self.seq}"

    @classmethod
    def acknowledge(cls, user: Any, topic: Topic, seq: int) -> int:
        """Note that `user` has seen a topic up to a position; returns how far they have, which never falls.

        Raises Refused `invalid` for a position the topic does not have.
        """
        row = Topic.objects.get(pk=topic.pk)
        if seq > row.last_seq:
            message = f"expected at most {row.last_seq}, the topic's last position"
            raise Refused("invalid", f"seq: {message}", fields={"seq": message})
        cursor, created = cls.objects.get_or_create(user=user, topic=row, defaults={"seq": seq, "epoch": row.epoch})
        if not created:
            behind = Q(seq__lt=seq) | ~Q(epoch=row.epoch)
            cls.objects.filter(behind, pk=cursor.pk).update(seq=seq, epoch=row.epoch)
            cursor.refresh_from_db()
        return cursor.seq
