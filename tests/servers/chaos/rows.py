"""The rows of the table: a fault, what must hold all the same, and what brings the fault about and counts."""

import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.servers.chaos.ledger import Tally


@dataclass(frozen=True, slots=True)
class Row:
    """A fault under load. A test module has its rows in `ROWS: tuple[Row, ...]`."""

    fault: str
    promise: str
    run: Callable[[bool], Awaitable[Tally]]
    """Runs it, long or short, on processes of its own, and leaves none behind."""

    async def short(self) -> Tally:
        """Run it as `make test` does; raises AssertionError with the counts if the promise was broken."""
        tally = await self.run(False)
        assert tally.kept, f"{self.fault}: {self.promise}? {verdict(tally)}\n{tally}"
        return tally


def verdict(tally: Tally) -> str:
    """`kept`, or what was broken, in words."""
    if tally.kept:
        return "kept"
    counted = [f"{count} {word}" for word in ("lost", "doubled", "reordered") if (count := getattr(tally, word))]
    nothing = [] if tally.acknowledged else ["nothing was acknowledged"]
    return "; ".join(counted + nothing + tally.broken)


def found() -> Iterator[tuple[str, Row]]:
    """Every row of every test module of this package, each with the module's name without `test_`."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("test_"):
            for row in getattr(import_module(f"{__package__}.{module.name}"), "ROWS", ()):
                yield module.name.removeprefix("test_"), row
