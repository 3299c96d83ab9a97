"""HTTP as the sockets speak: who asks, what they ask, what they are answered. An app's `api.py` is made of these."""

from realtime.http.authentication import Authentication, BadLogin, count_request, is_foreign
from realtime.http.mount import mounted
from realtime.http.replies import ERRORS, RETRY_SECONDS, STATUS, reply
from realtime.http.requests import (
    GUESTS_TOO,
    ApiRequest,
    command_in,
    header_text,
    network_of,
    read_body,
    read_object,
    takes,
)
from realtime.http.sse import respond, with_transport
from realtime.http.streams import NAME, Asked, Name, Page, append, open_stream, readable, reply_page

__all__ = [
    "ERRORS",
    "GUESTS_TOO",
    "NAME",
    "RETRY_SECONDS",
    "STATUS",
    "ApiRequest",
    "Asked",
    "Authentication",
    "BadLogin",
    "Name",
    "Page",
    "append",
    "command_in",
    "count_request",
    "header_text",
    "is_foreign",
    "mounted",
    "network_of",
    "open_stream",
    "read_body",
    "read_object",
    "readable",
    "reply",
    "reply_page",
    "respond",
    "takes",
    "with_transport",
]
