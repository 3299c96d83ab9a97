"""Where notifications are."""

import pytest

from realtime.testing import HandshakeRefused, connect

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", ["/ws/notifications/", "/ws/notifications"])
async def test_it_works_with_and_without_the_final_slash(path: str, development: None) -> None:
    async with connect(path) as socket:
        await socket.command("subscribe", topics=["alerts"])
        assert (await socket.event())["type"] == "subscribed"


@pytest.mark.parametrize("path", ["/ws/notifications/alerts/", "/ws/notification/", "/ws/notifications//"])
async def test_what_is_not_there_is_404(path: str) -> None:
    with pytest.raises(HandshakeRefused) as refused:
        async with connect(path):
            pass
    assert refused.value.status == 404
