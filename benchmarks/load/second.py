"""The second load generator, in C, which checks the first: `second.c`, compiled by `cc` where there is one."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.compiled import program
from benchmarks.load.generator import LoadError
from benchmarks.machine import family

SOURCE = Path(__file__).with_name("second.c")


class Second:
    """Connections that a process of its own holds; what it measures is in the terms of the first generator's notes."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def _ask(self, command: str) -> tuple[float, dict[str, float]]:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        messages, reads, seconds, server_cpu, load_cpu = map(float, self.answer().split())
        notes = {
            "frames_per_read": messages / max(reads, 1),
            "server_cpu": server_cpu / seconds,
            "load_cpu": load_cpu / seconds,
        }
        return messages / seconds, notes

    def answer(self) -> str:
        """The next line it prints; raises LoadError with what it says where it has ended instead."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line:
            raise LoadError(f"second load generator: {self._process.stderr.read().strip()}")
        return line.strip()

    def fan_out(self, window: int, seconds: float) -> tuple[float, dict[str, float]]:
        """Deliveries per second with `window` messages under way, and notes."""
        return self._ask(f"fanout {window} {seconds}")

    def ping_pong(self, seconds: float) -> tuple[float, dict[str, float]]:
        """Round trips per second of all connections, and notes."""
        return self._ask(f"echo {seconds}")


@contextmanager
def second(pid: int, port: int, path: str, headers: Sequence[str], payload: str) -> Iterator[Second]:
    """Open a connection for each of `headers` (more lines of its request) at the server with that pid.

    Every message is `payload`. Raises LoadError if one is refused.
    """
    command = [str(program(SOURCE)), str(port), path, str(len(headers)), payload, *map(str, family(pid))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdin is not None
            process.stdin.writelines(lines.replace("\r\n", "\t") + "\n" for lines in headers)
            process.stdin.flush()
            found = Second(process)
            assert found.answer() == "ready"
            yield found
        finally:
            process.kill()
