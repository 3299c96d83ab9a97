"""A TCP proxy that can hold bytes, or lose them: what is behind it is there, but does not answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK_BYTES = 65_536


class Proxy:
    """Passes connections to a port of this machine, from a port of its own; in threads, so it needs no loop."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: set[socket.socket] = set()
        self._silent: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._start(self._accept)

    def hold(self) -> None:
        """From now on connections are accepted, and no byte goes either way."""
        self._flowing.clear()

    def release(self) -> None:
        """Let everything through that was held, and what comes."""
        self._flowing.set()

    def silence(self) -> None:
        """From now on what is open stays open, and what is said on it is lost; new connections are served."""
        self._silent |= self._open

    def close(self) -> None:
        """End every connection, and the threads."""
        self._closing = True
        self._flowing.set()
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in (self._listener, *self._open):
            each.close()

    def _start(self, work: "object", *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed: the end
            while True:
                near, _ = self._listener.accept()
                self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        self._open.add(near)
        try:
            far = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            near.close()
            self._open.discard(near)
            return
        self._open.add(far)
        self._start(self._pump, near, far)
        self._start(self._pump, far, near)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                self._flowing.wait()
                if source not in self._silent:
                    target.sendall(data)
        self._flowing.wait()
        if source in self._silent and not self._closing:
            return
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """A proxy to a port of this machine."""
    one = Proxy(target)
    try:
        yield one
    finally:
        one.close()
