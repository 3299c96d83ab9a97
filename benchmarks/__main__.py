"""`python -m benchmarks [ROW …]`: measures the rows, all unless some are named, and writes RESULTS.md anew."""

import argparse
import os
import sys
import time
from datetime import UTC, datetime

from benchmarks import report
from benchmarks.machine import LOAD_CORES, facts, raise_open_files
from benchmarks.others import versions
from benchmarks.results import Results, Sample
from benchmarks.rows import NAMES, row
from benchmarks.servers import Bench

ROUNDS, ROUNDS_OF_ALL = 5, 3
"""Turns of each server, where rows are named and where all are to be measured in half an hour."""
SECONDS = 0.4
"""How long one round of a throughput lasts, after its warm-up."""


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Chorus beside its peers.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"one or more of: {', '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, help=f"turns of each server ({ROUNDS}; all rows: {ROUNDS_OF_ALL})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"length of a turn ({SECONDS})")
    parser.add_argument("--report", action="store_true", help="measure nothing, write RESULTS.md again")
    asked = parser.parse_args()
    if wrong := set(asked.rows) - set(NAMES):
        parser.error(f"there is no row {', '.join(sorted(wrong))}; there are: {', '.join(NAMES)}")
    return asked


def measure(name: str, bench: Bench) -> list[Sample]:
    """The samples of one row, told as they come."""
    start = time.monotonic()
    say(f"{name}: {row(name).TITLE}")
    samples = []
    for sample in row(name).run(bench):
        notes = "  ".join(f"{key} {value:.3g}" for key, value in sample.notes.items())
        by = " (second generator)" if sample.generator == "second" else ""
        say(f"  {sample.case:32} {sample.server + by:20} {sample.value:12,.5g} {row(name).UNIT}  {notes}")
        samples.append(sample)
    say(f"  took {time.monotonic() - start:.0f} s")
    return samples


def say(line: str) -> None:
    """Tell whoever waits."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure, and keep what was measured after each row."""
    asked = arguments()
    results = Results.load()
    if not asked.report:
        raise_open_files()
        os.sched_setaffinity(0, LOAD_CORES)
        bench = Bench(asked.rounds or (ROUNDS if asked.rows else ROUNDS_OF_ALL), asked.seconds)
        try:
            for name in asked.rows or NAMES:
                results.rows[name] = measure(name, bench)
                results.left_out[name] = dict(bench.left_out)
                bench.left_out.clear()
                results.facts = {**facts(), **versions()}
                now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
                results.measured[name] = f"measured {now}, Chorus {results.facts['Chorus']}"
                results.save()
        finally:
            bench.close()
    report.write(results)


if __name__ == "__main__":
    main()
