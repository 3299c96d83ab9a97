"""One transaction for each message or click: Chorus' own commit with one entry at a time, no socket, no journal.

`python -m benchmarks.peers.one_by_one message` reads seconds from stdin, line by line, and answers each with how many
a second were committed meanwhile.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import django


def committer(what: str) -> Callable[[], Any]:
    """A function that commits one more."""
    from django.contrib.auth.models import User

    from chat.models import Message, Room
    from counter.models import Change, Counter
    from realtime.access import Identity
    from realtime.streams.commit import commit

    sender = Identity.of_user(User.objects.get(username="member-0"))
    if what == "click":
        counter = Counter.objects.get(name="default")
        return lambda: commit(Counter, [_into(counter, Change.of(sender, 1, str(uuid4())))])
    room, text = Room.objects.get(name="lobby"), "x" * 128
    return lambda: commit(Room, [_into(room, Message.saying(sender, text, str(uuid4())))])


def _into(stream: Any, entry: Any) -> Any:
    entry.stream = stream
    return entry


def main(what: str) -> None:
    """Answer until stdin ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    commit_one = committer(what)
    for line in sys.stdin:
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < float(line):
            commit_one()
            count += 1
        sys.stdout.write(f"{count / (time.perf_counter() - start)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
