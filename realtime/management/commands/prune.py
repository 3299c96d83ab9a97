"""`manage.py prune`: delete now what is past the days and numbers set in admin."""

from typing import Any

from django.core.management.base import BaseCommand

from realtime.streams.kinds import all_streams
from realtime.streams.retention import prune, prune_dead


class Command(BaseCommand):
    help = "Delete entries, ids and whatever else is past its time. A server does it by itself every hour."

    def handle(self, *_: Any, **__: Any) -> None:
        raised = 0
        for stream in all_streams():
            first = stream.first_seq
            prune(stream)
            raised += stream.first_seq - first
        prune_dead()
        self.stdout.write(f"Pruned: {raised} {'entry is' if raised == 1 else 'entries are'} read no more.")
