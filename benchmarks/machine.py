"""This machine: its cores, what processes use of them, and what is installed on it."""

import os
import platform
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

PACKAGES = (
    *("channels", "channels-redis", "daphne", "django", "psycopg"),
    *("redis", "starlette", "uvicorn", "uvloop", "websockets"),
)
CORES = sorted(os.sched_getaffinity(0))
LOAD_CORES = {CORES[0]}
"""Where the load generator, Redis and PostgreSQL run."""
SERVER_CORES = {CORES[-1]}
"""Where the server under test runs."""
beside_the_load: list[int] = []
"""Processes that share the load's core: Redis and PostgreSQL, while they run."""


@contextmanager
def pinned(cores: set[int]) -> Iterator[None]:
    """Start processes on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_open_files() -> int:
    """Let this process and those it starts have as many files open as the system allows; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def family(pid: int) -> list[int]:
    """A process and all below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def cpu_seconds(pid: int) -> float:
    """CPU time that a process and all below it have used; by the scheduler, in nanoseconds, not in ticks."""
    total = 0
    for each in family(pid):
        for task in Path(f"/proc/{each}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def memory_bytes(pid: int) -> int:
    """Memory of a process and all below it that is theirs alone or their part of what they share (PSS)."""
    total = 0
    for each in family(pid):
        rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
    return total


def facts() -> dict[str, str]:
    """What RESULTS.md says about the machine and what is installed on it."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = next((line.partition(":")[2].strip() for line in cpuinfo.splitlines() if "model name" in line), "?")
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{model}, {len(CORES)} cores",
        "memory": f"{gigabytes:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "Redis": _first_line("redis-server", "--version").partition("v=")[2].partition(" ")[0],
        "PostgreSQL": _first_line("postgres", "--version").partition(") ")[2].partition(" ")[0],
        "Chorus": _first_line("git", "describe", "--always", "--dirty", "--exclude=*"),
    }


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "not on the path"
    return done.stdout.partition("\n")[0]
