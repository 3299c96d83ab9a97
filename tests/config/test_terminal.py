"""Ctrl-C in a terminal, where `make` started us or did not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.terminal import ctrl_c_is_ours

BASE_DIR = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="no process groups of this kind")

GROUPS = """
import os
from config.terminal import ctrl_c_is_ours
def told():
    with open("/dev/tty", "rb", buffering=0) as terminal:
        return os.getpgrp() == os.getpid(), os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
before = told()
with ctrl_c_is_ours():
    inside = told()
print(before, inside, told())
"""
IN_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


def groups(**env: str) -> str:
    """What GROUPS prints in a terminal: is it a group of its own, in the foreground; before, inside and after."""
    # The shell is what leads the first group of the terminal, as make is elsewhere.
    shell = ["sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, GROUPS]
    done = subprocess.run(
        [sys.executable, "-c", IN_A_TERMINAL, *shell],
        cwd=BASE_DIR,
        env={"PATH": os.environ["PATH"], **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout.strip()


def test_under_make_we_take_the_terminal_and_give_it_back() -> None:
    assert groups(MAKELEVEL="1") == "(False, True) (True, True) (False, True)"


def test_without_make_the_terminal_stays_as_it_is() -> None:
    assert groups() == "(False, True) (False, True) (False, True)"


def test_without_a_terminal_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAKELEVEL", raising=False)
    before = os.getpgrp()
    with ctrl_c_is_ours():
        assert os.getpgrp() == before
