"""Run the rows one after another and print what they counted: `python -m tests.servers.chaos [--short] [name…]`.

A name chooses the rows of a module (`redis_killed`) or those whose fault contains it. Exits with 1 if a promise was
broken.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Iterable

import pytest

from tests.servers.chaos.ledger import Tally
from tests.servers.chaos.rows import Row, found, verdict

ROW_SECONDS = 1800
"""Past it a row waits for what never comes."""
HEAD = ("fault", "sent", "acknowledged", "lost", "doubled", "reordered", "seconds to recover", "verdict")

Cells = tuple[str, ...]


def main(arguments: list[str]) -> int:
    """Run what was asked for; returns the exit code: 0, 1 if a promise was broken, 2 if there is no such row."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.chaos", description="Faults under load.")
    parser.add_argument(
        "names", nargs="*", metavar="name", help="of a module, or part of a fault; all if none is given"
    )
    parser.add_argument("--short", action="store_true", help="at the sizes of make test")
    asked = parser.parse_args(arguments)
    rows = [row for name, row in found() if chosen(name, row, asked.names)]
    if not rows:
        parser.error("there is no such row; there are: " + ", ".join(sorted({name for name, _ in found()})))
    os.environ["no_proxy"] = "*"  # whatever this machine goes through to reach others, it reaches itself directly
    lines, kept = [], True
    for number, row in enumerate(rows, 1):
        say(f"{number} of {len(rows)}: {row.fault}")
        cells, holds = tried(row, long=not asked.short)
        lines.append(cells)
        kept = kept and holds
    print("\n".join(table([HEAD, *lines])))  # noqa: T201 - the table is what this is for
    return 0 if kept else 1


def chosen(module: str, row: Row, names: list[str]) -> bool:
    """Whether a row was asked for."""
    return not names or any(name == module or name.lower() in row.fault.lower() for name in names)


def tried(row: Row, *, long: bool) -> tuple[Cells, bool]:
    """Run a row; returns its cells and whether its promise holds, or could not be tried here."""
    began = time.monotonic()
    try:
        tally = asyncio.run(_limited(row, long))
    except pytest.skip.Exception as missing:
        return _said(row, f"skipped: {missing.msg}"), True
    except pytest.fail.Exception as missing:
        return _said(row, f"not run: {missing.msg}"), False
    except Exception as error:  # noqa: BLE001 - whatever it is, the other rows run too, and the exit code is 1
        return _said(row, f"broken off: {_in_words(error)}"), False
    say(f"  {verdict(tally)} after {time.monotonic() - began:.0f} s")
    return counted(row, tally), tally.kept


async def _limited(row: Row, long: bool) -> Tally:
    async with asyncio.timeout(ROW_SECONDS):
        return await row.run(long)


def _in_words(error: BaseException) -> str:
    """The first line of the first thing that went wrong; all of it goes to stderr."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    say("\n".join([f"  {type(error).__name__}: {error}", *getattr(error, "__notes__", ())]))
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _said(row: Row, words: str) -> Cells:
    say(f"  {words}")
    return (row.fault, *["–"] * 6, words)


def counted(row: Row, tally: Tally) -> Cells:
    """A row's cells."""
    numbers = (tally.sent, tally.acknowledged, tally.lost, tally.doubled, tally.reordered)
    seconds = "–" if tally.recovered_in is None else f"{tally.recovered_in:.1f}"
    return (row.fault, *map(str, numbers), seconds, verdict(tally))


def table(rows: Iterable[Cells]) -> list[str]:
    """Lines of a table in Markdown, with the columns under one another; numbers to the right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(widths) - 1
    rule = ["-" * width if at in (0, last) else "-" * (width - 1) + ":" for at, width in enumerate(widths)]
    lines = [
        [
            cell.ljust(width) if at in (0, last) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]
    return [f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:])]


def say(line: str) -> None:
    """Progress, beside the table."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - see above


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
