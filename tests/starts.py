"""Which tests start a process or a browser: found by what they do, so that nobody keeps a list of them.

A test starts one if its function or a fixture that it asks for uses something of `STARTERS`, itself or through
helpers in `tests`. Such a test has the marker `process`; `make test-fast` leaves it out. What this does not see,
because the code under test does it, is found when it happens: `Guard` fails a test that starts a process without
having the marker, which can then be written down.
"""

import contextlib
import inspect
import sys
from collections.abc import Iterator
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

STARTERS = {"subprocess", "multiprocessing", "playwright"}
"""Packages whose use starts a process."""
EVENTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}
"""What Python reports when one starts."""


def starts_process(item: pytest.Item) -> bool:
    """Tell whether a test starts a process, or needs one that was started for several tests."""
    fixtures = item._fixtureinfo.name2fixturedefs.values()  # type: ignore[attr-defined]  # noqa: SLF001 - no other way
    functions = [getattr(item, "function", None), *(fixture.func for found in fixtures for fixture in found)]
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return any(map(reaches_starter, [*functions, *parameters]))


_clear: dict[int, Any] = {}
"""What leads to no starter, by its identity; held here, so that nothing else gets that."""


def reaches_starter(thing: Any) -> bool:
    """Tell whether something uses a starter, itself or through what it uses of the tests."""
    seen: dict[int, Any] = {}
    waiting = [thing]
    while waiting:
        thing = waiting.pop()
        if id(thing) not in seen and id(thing) not in _clear:
            seen[id(thing)] = thing
            thing = inspect.unwrap(thing)
            if _package(thing) in STARTERS:
                return True
            waiting += _used(thing)
    _clear.update(seen)
    return False


def _package(thing: Any) -> str:
    name = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None) or ""
    return str(name).partition(".")[0]


def _used(thing: Any) -> list[Any]:
    """What something of the tests uses, as far as its names tell."""
    if isinstance(thing, tuple | list):  # a table
        return list(thing)
    if isinstance(thing, partial):
        return [thing.func, *thing.args]
    if _package(thing) != "tests" or isinstance(thing, ModuleType):  # of a module what is named with it, see below
        return []
    if isinstance(thing, type):
        return [*thing.__bases__, *(getattr(each, "fget", None) or each for each in vars(thing).values())]
    if isinstance(thing, FunctionType):
        return _named(thing)
    names = [*getattr(thing, "__slots__", ()), *getattr(thing, "__dict__", ())]
    return [type(thing), *(getattr(thing, name, None) for name in names)]


def _named(function: FunctionType) -> list[Any]:
    names = {name for code in _nested(function.__code__) for name in code.co_names}
    used = [function.__globals__[name] for name in names if name in function.__globals__]
    modules = [each for each in used if isinstance(each, ModuleType) and _package(each) == "tests"]
    return [*used, *(vars(module)[name] for module in modules for name in names if name in vars(module))]


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


class Guard:
    """Fails a test that starts a process although it does not look like it."""

    def __init__(self) -> None:
        self._forbidden = False
        sys.addaudithook(self._heard)

    @contextlib.contextmanager
    def over(self, item: pytest.Item) -> Iterator[None]:
        """Watch over one test, its fixtures too."""
        self._forbidden = item.get_closest_marker("process") is None
        yield
        self._forbidden = False

    def _heard(self, event: str, _arguments: object) -> None:
        if self._forbidden and event in EVENTS:
            pytest.fail("This test starts a process (or a browser): give it the marker `process`, or see tests.starts.")
