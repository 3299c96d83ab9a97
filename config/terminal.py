"""Ctrl-C where `make` stands in front of us."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def ctrl_c_is_ours() -> Iterator[None]:
    """Let Ctrl-C end this process and not the `make` that started it, which would call that a failure.

    The terminal sends it to the process group in its foreground, so we become one of our own for as long as
    this lasts. Nothing changes without a terminal, in the background, or when no `make` is in front.
    """
    group = _group_to_leave()
    if group is None:
        yield
        return
    with open("/dev/tty", "rb", buffering=0) as terminal:  # noqa: PTH123 - a device, not a file
        # Whoever takes the terminal from the background is stopped unless this is ignored. And Ctrl-Z would
        # stop us while the shell waits for `make`, which goes on.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.tcsetpgrp(terminal.fileno(), os.getpgrp())
        try:
            yield
        finally:
            with suppress(OSError):  # the terminal may be gone
                os.tcsetpgrp(terminal.fileno(), group)
                os.setpgid(0, group)


def _group_to_leave() -> int | None:
    if os.name != "posix" or "MAKELEVEL" not in os.environ:
        return None
    group = os.getpgrp()
    try:
        with open("/dev/tty", "rb", buffering=0) as terminal:  # noqa: PTH123
            in_foreground = os.tcgetpgrp(terminal.fileno()) == group
    except OSError:
        return None
    return group if in_foreground and group != os.getpid() else None
