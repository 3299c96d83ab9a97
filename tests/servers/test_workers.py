"""Two workers of one server are one place, whichever of them a client is given to."""

from tests.processes import redis_server, serve
from tests.servers.clients import member


async def test_a_message_reaches_the_sockets_of_both_workers() -> None:
    with redis_server() as redis, serve({"REDIS_URL": redis.url}, workers=2) as server:
        async with member(server, "alice") as alice:
            for _ in range(10):
                async with member(server, "bob") as bob:
                    said = await bob.say("whichever of the two I am on")
                    assert await alice.next("chat", seq=said["seq"]) == said
