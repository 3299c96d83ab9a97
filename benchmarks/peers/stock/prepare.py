"""Makes the database of stock Channels: `python -m benchmarks.peers.stock.prepare`, the tokens as JSON on stdin."""

import json
import os
import sys

import django


def main() -> None:
    """Tables, a user for each token, a counter."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.peers.stock.settings"
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from benchmarks.peers.stock.models import Counter, Token

    call_command("migrate", run_syncdb=True, verbosity=0)
    secrets = json.load(sys.stdin)
    users = User.objects.bulk_create(User(username=f"member-{index}", password="!") for index in range(len(secrets)))
    Token.objects.bulk_create(Token(key=secret, user=user) for secret, user in zip(secrets, users, strict=True))
    Counter.objects.create(pk=1)


if __name__ == "__main__":
    main()
