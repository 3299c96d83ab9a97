"""What only the machine itself can do to a server, or knows about it. Linux only; some of it for root only."""

import ctypes
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.processes import Process

SO_ATTACH_FILTER = 26
_DROP_ALL = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # one BPF instruction: return 0


def needs_linux() -> None:
    """Skip where there is no /proc to look into."""
    if sys.platform != "linux":
        pytest.skip("needs Linux: /proc and socket filters")


def go_silent(connection: socket.socket) -> None:
    """Make a peer vanish without FIN: from now on the kernel drops all that is sent to it, unacknowledged."""
    program = struct.pack("HxxxxxxP", 1, ctypes.addressof(_DROP_ALL))
    connection.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def processes_of(server: Process) -> list[int]:
    """The server's process and its workers."""
    pids = [server.pid]
    for pid in pids:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            pids.extend(int(child) for child in children.read_text().split())
    return pids


def held_sockets(server: Process, clients: set[int]) -> int:
    """How many connections from these ports the server's processes hold a file descriptor for."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        local, remote = (int(fields[column].rpartition(":")[2], 16) for column in (1, 2))
        if local == server.port and remote in clients:
            inodes.add(f"socket:[{fields[9]}]")
    held = 0
    for pid in processes_of(server):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                held += str(descriptor.readlink()) in inodes
    return held


def resident_bytes(server: Process) -> int:
    """Memory of the server's processes that is in RAM."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in processes_of(server))
    return pages * 4096


@contextmanager
def small_file_system(size: int) -> Iterator[Path]:
    """Mount a file system of `size` bytes; skips the test where this user may not."""
    mount = shutil.which("mount")
    with tempfile.TemporaryDirectory(prefix="chorus-disk-") as name:
        options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", name]
        if mount is None or subprocess.run([mount, *options], check=False, capture_output=True).returncode:
            pytest.skip("needs a file system of its own: root, and leave to mount")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


def fill(directory: Path) -> Path:
    """Write a file until its file system is full; returns it, to be removed."""
    ballast = directory / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        for size in (65536, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(b"\0" * size)
    return ballast
