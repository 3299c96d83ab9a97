"""No server at all: writes ready-made frames to every socket as fast as the kernel takes them, to find the ceiling.

Starts at the first message from a client, which is how many frames go in one write, and stops at the next.
"""

import socket
import sys
from contextlib import suppress

MESSAGE = bytes((0x81, 126)) + (128).to_bytes(2) + b"x" * 128
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""The answer to the one key that the load sends (RFC 6455 §4.2.2)."""
ANSWER = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
).encode()


def accept(listener: socket.socket) -> list[socket.socket]:
    """Take one connection through its handshake; none if it was only somebody who looked whether we listen."""
    connection, _ = listener.accept()
    if not connection.recv(4096):
        return []
    connection.sendall(ANSWER)
    connection.setblocking(False)
    return [connection]


def blast(connections: list[socket.socket], burst: int) -> None:
    """Write until the first connection has something to say."""
    wire = MESSAGE * burst
    senders = [connection.send for connection in connections]
    while True:
        for send in senders:
            with suppress(BlockingIOError):
                if send(wire) < len(wire):
                    raise SystemExit("a frame was cut")
        with suppress(BlockingIOError):
            connections[0].recv(4096)
            return


def wait_closed(connection: socket.socket) -> None:
    """Wait until the other side has hung up."""
    connection.setblocking(True)
    with suppress(ConnectionError):
        while connection.recv(4096):
            pass


def main(port: int) -> None:
    """Serve one measurement after another, until killed: connections until one of them speaks, then frames."""
    with socket.create_server(("127.0.0.1", port), backlog=2048) as listener:
        listener.settimeout(0.05)
        connections: list[socket.socket] = []
        while True:
            with suppress(TimeoutError):
                connections += accept(listener)
                continue
            with suppress(BlockingIOError, IndexError):  # nothing said yet, nobody there yet
                blast(connections, int(connections[0].recv(4096)[6:]))  # behind header and mask
                wait_closed(connections[0])
                connections.clear()


if __name__ == "__main__":
    main(int(sys.argv[1]))
