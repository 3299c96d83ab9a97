"""Lists of admin as CSV (RFC 4180): the rows that are filtered, in the columns that are shown, streamed."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.contrib.admin.utils import display_for_field, display_for_value, label_for_field, lookup_field
from django.db.models import Model, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.html import strip_tags

MOST_ROWS = 100_000
"""Rows of one file; of more than that only the first are there."""
ROWS_AT_ONCE = 500
"""Rows that one query reads, and one piece of the answer holds."""
FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a spreadsheet computes, or runs, begins so: in full width too."""


class Column(NamedTuple):
    """A column of a list: what `list_display` calls it, and its heading."""

    name: Any
    label: str


class _Echo:
    """What csv.writer writes to, and gives back."""

    def write(self, line: str) -> str:
        return line


def safe_cell(value: object) -> str:
    """A value as text that no spreadsheet takes for a formula: what looks like one begins with an apostrophe.

    A tab or a line's end before it hides nothing (OWASP, CSV Injection).
    """
    text = "" if value is None else str(value)
    is_formula = text.startswith(("\t", "\r", "\n")) or text.lstrip().startswith(FORMULAS)
    return f"'{text}" if is_formula else text


def csv_response(
    request: HttpRequest, name: str, header: Iterable[str], rows: Iterable[Iterable[object]]
) -> StreamingHttpResponse:
    """An answer that is saved as `name`; `rows` may read the database while it is sent."""
    pieces = _pieces(header, rows)
    # A server that speaks ASGI would wait for all of a synchronous iterator before it sends anything.
    content = _in_threads(pieces) if hasattr(request, "scope") else pieces
    disposition = f'attachment; filename="{name}-{timezone.localdate():%Y-%m-%d}.csv"'
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return StreamingHttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


def columns_of(model_admin: Any, request: HttpRequest) -> list[Column]:
    """The columns of a list that say something; those without a heading are ways to other pages."""
    names = [name for name in model_admin.get_list_display(request) if name != "action_checkbox"]
    found = [Column(name, str(label_for_field(name, model_admin.model, model_admin))) for name in names]
    return [column for column in found if column.label]


def rows_of(queryset: QuerySet[Any], columns: Sequence[Column], model_admin: Any) -> Iterator[list[str]]:
    """The rows of a list as it is now, in its order; who comes meanwhile shifts nothing."""
    pks = list(queryset.values_list("pk", flat=True)[:MOST_ROWS])
    for start in range(0, len(pks), ROWS_AT_ONCE):
        some = pks[start : start + ROWS_AT_ONCE]
        found = {row.pk: row for row in queryset.filter(pk__in=some)}
        for pk in some:
            if pk in found:
                yield [_value(column.name, found[pk], model_admin) for column in columns]


def _value(name: Any, row: Model, model_admin: Any) -> str:
    field, _, value = lookup_field(name, row, model_admin)
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(sep=" ", timespec="seconds")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)  # without the separators that people read more easily
    if field is not None and not field.is_relation:
        return str(display_for_field(value, field, ""))
    return strip_tags(display_for_value(value, "")) if hasattr(value, "__html__") else str(display_for_value(value, ""))


def _pieces(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    lines = [writer.writerow([safe_cell(cell) for cell in header])]
    for row in rows:
        lines.append(writer.writerow([safe_cell(cell) for cell in row]))
        if len(lines) == ROWS_AT_ONCE:
            yield "".join(lines)
            lines = []
    yield "".join(lines)


async def _in_threads(pieces: Iterator[str]) -> AsyncIterator[str]:
    following = sync_to_async(lambda: next(pieces, None))
    while (piece := await following()) is not None:
        yield piece
