"""Where a reader of several topics is, as the id of an event: `alerts=12.k3f9abcd&backups=3.x81m20pq`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError

from notifications.events import Cursor
from realtime.protocol import Refused


class Positions:
    """The positions after each event, for a reader who began after some of their own."""

    def __init__(self, since: Mapping[str, Cursor]) -> None:
        self._since = dict(since)
        self._reached: dict[str, Cursor] = {}

    @staticmethod
    def read(id: str) -> dict[str, Cursor]:
        """The positions in an event's id; raises Refused `invalid` for what is no such id."""
        try:
            pairs = parse_qsl(id, keep_blank_values=True, strict_parsing=True)
            parts = {name: position.partition(".") for name, position in pairs}
            return {
                name: Cursor.model_validate({"seq": seq, "epoch": epoch or None})
                for name, (seq, _, epoch) in parts.items()
            }
        except (ValueError, ValidationError):
            message = "expected the id of an event"
            raise Refused("invalid", f"Last-Event-ID: {message}", fields={"Last-Event-ID": message}) from None

    def after(self, event: Mapping[str, Any]) -> str | None:
        """The id of the next event that is sent; None for one that moves nothing."""
        match event:
            case {"type": "subscribed", "streams": dict() as streams}:
                for name, start in streams.items():
                    self._begin(name, start["seq"], start["epoch"], recovered=start["recovered"])
            case {"type": "notification" | "retracted", "topic": str() as name, "seq": int() as seq}:
                if name in self._reached:
                    self._reached[name] = Cursor(seq=seq, epoch=self._reached[name].epoch)
            case _:
                return None
        return urlencode({name: f"{cursor.seq}.{cursor.epoch}" for name, cursor in self._reached.items()})

    def _begin(self, name: str, seq: int, epoch: str, *, recovered: bool) -> None:
        since = self._since.pop(name, None)
        # What was missed is sent after this, so its reader is not yet where the topic is.
        if not recovered:
            seq = 0
        elif since is not None:
            seq = since.seq
        self._reached[name] = Cursor(seq=seq, epoch=epoch)
