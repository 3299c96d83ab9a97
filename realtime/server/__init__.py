"""The wire: connections under Uvicorn, bounded, read and written here."""

from realtime.server.connection import ChorusProtocol

__all__ = ["ChorusProtocol"]
