"""Open connections as CSV: what admin's page shows of them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from realtime.connections.report import COUNTED, Row
from realtime.csv_export import csv_response
from realtime.streams.kinds import pks_by_kind

COLUMNS = ("who", "route", "streams", "since", "address", *COUNTED)
"""By their fields in Row."""


def connections_csv(request: HttpRequest, rows: Collection[Row]) -> StreamingHttpResponse:
    """The rows as a file."""
    titles = titles_of({key for row in rows for key in row["streams"]})

    def cell(row: Mapping[str, Any], name: str) -> Any:
        return ", ".join(titles.get(key, key) for key in row[name]) if name == "streams" else row[name]

    header = [name.replace("_", " ") for name in COLUMNS]
    return csv_response(request, "connections", header, ([cell(row, name) for name in COLUMNS] for row in rows))


def titles_of(keys: Iterable[str]) -> dict[str, str]:
    """What streams are called, by their keys: a query for each kind of them."""
    streams = [row for kind, pks in pks_by_kind(keys).items() for row in kind._default_manager.filter(pk__in=pks)]
    return {stream.key: stream.title or stream.public_name for stream in streams}
