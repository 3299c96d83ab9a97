"""The open sockets of this process: who may go on, what is said of them, and how they are told to go."""

from realtime.connections.control import BY_MODERATOR, disconnect, look_again, who
from realtime.connections.person import person_of, user_of
from realtime.connections.report import Row, Wanted

__all__ = [
    "BY_MODERATOR",
    "Row",
    "Wanted",
    "disconnect",
    "look_again",
    "person_of",
    "user_of",
    "who",
]
