"""What publishing is answered, over a socket and over HTTP alike."""

import pytest

from notifications.draft import Draft
from notifications.events import Publish, Published
from notifications.models import Notification, Topic
from notifications.publishing import published
from realtime.access import Identity
from realtime.hub import current_journal
from realtime.testing import connect

pytestmark = pytest.mark.django_db(transaction=True)
OPS = Identity("user:1", "ops")


async def answer(topic: Topic) -> Published:
    """Publish the same once more."""
    said = Publish(topic="Alerts", message="Hi", id="7")
    appended = current_journal().append(topic, Notification.saying(OPS, Draft(said.message, client_id=said.id)))
    return await published(said, topic, "alerts", appended)


async def test_the_answer_tells_where_it_is_and_how_many_listen(alerts: Topic) -> None:
    async with connect("/ws/notifications/") as socket:
        await socket.command("subscribe", topics=["alerts"])
        await socket.next("subscribed")
        assert await answer(alerts) == Published(topic="alerts", recipients=1, seq=1, id="7")


async def test_what_was_published_before_is_a_duplicate(alerts: Topic) -> None:
    assert (await answer(alerts)).duplicate is None
    assert await answer(alerts) == Published(topic="alerts", recipients=0, seq=1, id="7", duplicate=True)
