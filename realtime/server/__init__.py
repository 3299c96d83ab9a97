"""The wire: WebSocket connections under Uvicorn, written and read here."""

from realtime.server.connection import ChorusProtocol

__all__ = ["ChorusProtocol"]
