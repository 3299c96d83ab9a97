"""`manage.py renew_epochs`: after a backup was restored, or a failover that lost commits."""

from typing import Any

from django.core.management.base import BaseCommand

from realtime.streams.kinds import all_streams
from realtime.words import counted


class Command(BaseCommand):
    help = (
        "Give every stream a new epoch: clients learn that what they have may differ from what is stored "
        "(recovered: false), and begin anew. Run it after restoring a backup, before or while the site serves."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        count = 0
        for stream in all_streams():
            type(stream).renew_epoch(stream.pk, stream.epoch)
            count += 1
        self.stdout.write(f"Renewed the {'epoch' if count == 1 else 'epochs'} of {counted(count, 'stream')}.")
