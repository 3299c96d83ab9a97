"""Starlette, as its manual writes sockets: an endpoint that awaits each send. On Uvicorn's sans-I/O protocol."""

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

subscribers: set[WebSocket] = set()


async def echo(socket: WebSocket) -> None:
    """Send back."""
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)


async def broadcast(socket: WebSocket) -> None:
    """Send to everyone."""
    await socket.accept()
    subscribers.add(socket)
    try:
        async for text in socket.iter_text():
            for each in list(subscribers):
                await each.send_text(text)
    except WebSocketDisconnect:
        pass
    finally:
        subscribers.discard(socket)


app = Starlette(routes=[WebSocketRoute("/echo", echo), WebSocketRoute("/broadcast", broadcast)])
