"""Publish a notification from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError

from notifications.models import ME, Topic
from realtime.access import Identity
from realtime.names import find_user
from realtime.protocol import Refused

SENDER = Identity("program:notify", "notify")


class Command(BaseCommand):
    help = "Publish a notification to a topic, or to a person as @alice, and print its position."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("topic", help="the topic, such as backups, or @ and a user name")
        parser.add_argument("message", help="what happened")
        parser.add_argument(
            "--priority", type=int, choices=range(1, 6), default=3, help="1 and 2 are silent, 5 stays (%(default)s)"
        )
        parser.add_argument("--title", default="", help="a short line above the message")
        parser.add_argument("--tag", action="append", default=[], help="a word to find it by; repeatable")

    def handle(self, *, topic: str, message: str, priority: int, title: str, tag: list[str], **_options: Any) -> None:
        try:
            found = _topic(topic)
            notification = found.publish(SENDER, message, title=title, priority=priority, tags=tag)
        except Refused as refusal:
            hint = " Make it in admin first, under Topics." if refusal.code == "not_found" else ""
            raise CommandError(f"{refusal.message}{hint}") from None
        except (OperationalError, InterfaceError) as error:
            raise CommandError(f"The database is not available: {error}") from None
        self.stdout.write(f"{topic} {notification.seq}")


def _topic(name: str) -> Topic:
    if name.lower() == ME:
        raise CommandError(f"{ME} is the topic of whoever asks. Whose is meant? For example: @alice")
    if not name.startswith("@"):
        return Topic.objects.open(name, SENDER)
    person = find_user(name[1:], is_active=True)
    if person is None:
        raise CommandError(f"There is no user {name}.")
    return Topic.objects.open(ME, Identity.of_user(person))
