"""Where counters are."""

import pytest

from counter.models import Counter
from realtime.testing import HandshakeRefused, connect

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", ["/ws/counter/", "/ws/counter", "/ws/counter/default/", "/ws/counter/Default"])
async def test_the_counter_without_a_name_is_called_default(path: str, development: None) -> None:
    async with connect(path) as socket:
        await socket.next("state")
    assert [counter.name async for counter in Counter.objects.all()] == ["default"]


@pytest.mark.parametrize("path", ["/ws/counter/cups/", "/ws/counter/cups", "/ws/counter/CUPS/", "/ws/counter/%63ups"])
async def test_a_counter_is_one_counter_however_its_address_is_written(path: str, development: None) -> None:
    async with connect(path) as socket:
        await socket.next("state")
    assert [counter.name async for counter in Counter.objects.all()] == ["cups"]


@pytest.mark.parametrize("name", ["a%20b", ".hidden", "%C3%BC", "x" * 65, "%00", "a%0A"])
async def test_what_is_no_name_is_told_and_closed(name: str, development: None) -> None:
    async with connect(f"/ws/counter/{name}/") as socket:
        error = await socket.error()
        assert (error["code"], error["message"][:16]) == ("invalid", "Bad counter name")
        assert (await socket.closed())[0] == 4500


@pytest.mark.parametrize("path", ["/ws/counter//", "/ws/counter/a/b/", "/ws/counter/a%2Fb", "/ws/counters/"])
async def test_what_is_no_counter_is_404(path: str) -> None:
    with pytest.raises(HandshakeRefused) as refused:
        async with connect(path):
            pass
    assert refused.value.status == 404
