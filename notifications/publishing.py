"""What is answered to who publishes, over whatever they asked."""

from collections.abc import Awaitable
from typing import Any

from notifications.events import Publish, Published
from notifications.models import Topic
from realtime.hub import current_hub
from realtime.streams import group_of


async def published(said: Publish, topic: Topic, called: str, appended: Awaitable[Any]) -> Published:
    """The answer, once what was said is stored as `appended`; `called` is what its reader calls the topic.

    Raises what `appended` raises: Refused and db.Unavailable.
    """
    stored = await appended
    return Published(
        topic=called,
        recipients=await current_hub().presence.count(group_of(topic.key)),
        seq=stored.seq,
        id=said.id,
        duplicate=True if stored.duplicate else None,
    )
