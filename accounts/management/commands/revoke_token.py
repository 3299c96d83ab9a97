"""Revoke a token from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Token
from accounts.secret import PREFIX, SHOWN_CHARACTERS, is_well_formed


class Command(BaseCommand):
    """Takes as much of the secret's beginning as tells one token from the others."""

    help = "Revoke the token whose secret begins with PREFIX, as the pages show it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """PREFIX: the first characters of the secret."""
        parser.add_argument("prefix", help=f"such as {PREFIX}aB3dE6gH")

    def handle(self, *, prefix: str, **_options: Any) -> None:
        """Revoke it; raises CommandError when not exactly one token is meant."""
        if is_well_formed(prefix):  # somebody pasted all of it
            prefix = prefix[:SHOWN_CHARACTERS]
        # SQLite compares without regard to case.
        found = [token for token in _beginning_with(prefix) if token.prefix.startswith(prefix)]
        if not found:
            raise CommandError(f"No token begins with {prefix!r}.")
        if len(found) > 1:
            names = ", ".join(f"{token.prefix} ({token.owner}: {token.name})" for token in found)
            raise CommandError(f"{len(found)} tokens begin with {prefix!r}: {names}. Give more of it.")
        found[0].revoke()
        self.stdout.write(f"Revoked {found[0].prefix} ({found[0].owner}: {found[0].name}).")


def _beginning_with(prefix: str) -> list[Token]:
    if not prefix.startswith(PREFIX) or not len(PREFIX) < len(prefix) <= SHOWN_CHARACTERS:
        raise CommandError(f"Expected {PREFIX} and 1 to {SHOWN_CHARACTERS - len(PREFIX)} more characters.")
    return list(Token.objects.filter(prefix__startswith=prefix).select_related("owner"))
