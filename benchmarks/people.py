"""Fills a migrated database of Chorus: `python -m benchmarks.people` with the tokens' secrets on stdin, as JSON."""

import json
import os
import sys

import django


def main() -> None:
    """A user for each token, a room `lobby`, the rooms `table-0` … and a counter."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.contrib.auth.models import User

    from accounts.models import Token
    from accounts.secret import SHOWN_CHARACTERS, digest
    from chat.models import Room
    from counter.models import Counter

    secrets = json.load(sys.stdin)
    users = User.objects.bulk_create(User(username=f"member-{index}", password="!") for index in range(len(secrets)))
    Token.objects.bulk_create(
        Token(owner=user, name="load", prefix=secret[:SHOWN_CHARACTERS], digest=digest(secret), scopes=["*"])
        for secret, user in zip(secrets, users, strict=True)
    )
    Room.objects.bulk_create(Room(name=name) for name in (f"table-{index}" for index in range(200)))
    for model, name in ((Room, "lobby"), (Counter, "default")):
        model.objects.get_or_create(name=name)


if __name__ == "__main__":
    main()
