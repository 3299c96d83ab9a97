"""Our programs in C, compiled when they are needed, where there is a compiler."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

MISSING = "no C compiler (Debian: apt-get install gcc libc6-dev)"


def compiler() -> str | None:
    """The C compiler of this machine."""
    return shutil.which("cc")


@cache
def _directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="chorus-compiled-")


@cache
def program(source: Path) -> Path:
    """The program that a source file makes; raises CalledProcessError if it does not compile."""
    built = Path(_directory().name) / source.stem
    subprocess.run([compiler() or "cc", "-O2", "-o", str(built), str(source)], check=True)
    return built
