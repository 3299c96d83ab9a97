"""Make a token from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import DEFAULT_DAYS, Token, parse_days
from realtime.names import find_user


class Command(BaseCommand):
    """Prints the secret and nothing else, so that a script can take it."""

    help = "Make a token for a user and print it. It cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """USERNAME, and what the token is for."""
        parser.add_argument("username")
        parser.add_argument("--name", default="Command line", help="what it is for (default: %(default)s)")
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            help="what it may do, such as chat:read or chat:write:lobby; repeatable (default: everything)",
        )
        parser.add_argument(
            "--days", default=str(DEFAULT_DAYS), help="days until it expires, or never (default: %(default)s)"
        )

    def handle(self, *, username: str, name: str, scope: list[str], days: str, **_options: Any) -> None:
        """Make the token; raises CommandError that says what to do instead."""
        owner = find_user(username)
        if owner is None:
            raise CommandError(
                f"There is no user {username!r}. Make one under Users in admin, or with: "
                "python manage.py createsuperuser"
            )
        if not owner.is_active:
            raise CommandError(f"{username} is deactivated: a token of theirs would open nothing.")
        try:
            _, secret = Token.issue(owner, name, scope, parse_days(days))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(secret)
