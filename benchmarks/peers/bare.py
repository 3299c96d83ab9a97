"""The bare `websockets` library: its asyncio server on uvloop, its own `broadcast`, no compression."""

import asyncio
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

subscribers: set[ServerConnection] = set()


async def serve_connection(connection: ServerConnection) -> None:
    """`/echo` sends back, anything else is one group."""
    assert connection.request is not None
    try:
        if connection.request.path == "/echo":
            async for message in connection:
                await connection.send(message)
        else:
            await _in_group(connection)
    except ConnectionClosed:
        pass


async def _in_group(connection: ServerConnection) -> None:
    subscribers.add(connection)
    try:
        async for message in connection:
            broadcast(subscribers, message)
    finally:
        subscribers.discard(connection)


async def main(port: int) -> None:
    """Serve until killed."""
    async with serve(serve_connection, "127.0.0.1", port, compression=None):
        await asyncio.Future()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
