"""One socket: its loop, its login, its commands, the stream it follows. An app derives its consumers from these."""

from realtime.consumers.commands import JsonConsumer, command
from realtime.consumers.following import Following
from realtime.consumers.history import HistoryConsumer
from realtime.consumers.login import login_secret
from realtime.consumers.socket import SocketConsumer
from realtime.consumers.stream import StreamConsumer

__all__ = [
    "Following",
    "HistoryConsumer",
    "JsonConsumer",
    "SocketConsumer",
    "StreamConsumer",
    "command",
    "login_secret",
]
