"""Admin's page of open connections, in one process; tests/servers/test_connections_page.py has two."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Token
from chat.models import Room
from counter.models import Counter
from notifications.models import Topic
from realtime import db
from realtime.connections import report
from realtime.connections.control import who
from realtime.testing import Socket, connect
from tests.processes import RedisServer

in_threads = pytest.mark.django_db(transaction=True)
PAGE = "admin:realtime_connection_changelist"
DATA = "admin:realtime_connection_data"
DISCONNECT = "admin:realtime_connection_disconnect"
VIEW = "view_connection"
DELETE = "delete_connection"
HOSTILE = "<img src=x onerror=alert(1)>\"'&"
LOBBY = "/ws/chat/lobby/"
Helper = Callable[..., Client]


async def seen(browser: Client, **query: Any) -> dict[str, Any]:
    """What the page asks for."""
    answer: Any = await db.run(lambda: browser.get(reverse(DATA, query=query)))
    found: dict[str, Any] = answer.json()
    return found


async def names(browser: Client, **query: Any) -> list[str]:
    """Who is shown, the newest first."""
    return [row["who"] for row in (await seen(browser, **query))["rows"]]


async def post(browser: Client, **query: Any) -> Any:
    """Press the button."""
    return await db.run(lambda: browser.post(reverse(DISCONNECT, query=query), follow=True))


async def gone(socket: Socket) -> tuple[int, str]:
    """Code and reason of a close, whatever comes before it."""
    while (message := await socket.communicator.receive_output(5))["type"] != "websocket.close":
        pass
    return message["code"], message["reason"]


BY_STAFF = (4503, "a moderator ended your connection")


# What is shown.


@in_threads
async def test_a_row_says_who_is_where_since_when_and_from_where(alice: User, staff: Client, lobby: Room) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        [row] = (await seen(staff))["rows"]
        page = reverse(PAGE)
        assert (row["who"], row["route"], row["address"]) == ("alice", LOBBY, "127.0.0.1")
        assert row["streams"] == [["lobby", f"{page}?stream={lobby.key}"]]
        assert row["user"] == f"{page}?user={alice.pk}"
        assert row["since"].endswith("+00:00")


@in_threads
async def test_messages_and_bytes_are_counted_both_ways(staff: Client, lobby: Room) -> None:
    async with connect("/ws/echo/") as socket:
        await socket.send("hé")
        back = await socket.frame()
        assert isinstance(back, str)
        await socket.send("x")
        more = await socket.frame()
        [row] = (await seen(staff))["rows"]
        assert (row["messages_in"], row["bytes_in"]) == (2, 4)
        sizes = [len(str(text).encode()) + 2 for text in (back, more)]  # a short frame has a header of two bytes
        assert (row["messages_out"], row["bytes_out"], row["waiting"]) == (2, sum(sizes), 0)


@in_threads
async def test_a_guest_s_key_is_on_no_page(staff: Client, lobby: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        [row] = who_rows = (await db.run(who)).rows
        assert row["identity"].startswith("guest:")
        assert row["identity"].removeprefix("guest:") not in str(await seen(staff))
        assert len(who_rows) == 1


@in_threads
async def test_connections_are_found_by_name_route_and_address(alice: User, bob: User, staff: Client) -> None:
    async with connect("/ws/echo/", user=alice), connect("/ws/broadcast/", user=bob, client=("192.0.2.7", 1)):
        assert await names(staff) == ["bob", "alice"]
        for text, found in (("ALI", "alice"), ("broadcast", "bob"), ("192.0.2", "bob")):
            assert await names(staff, q=text) == [found]
        assert await names(staff, q="nobody") == []


@in_threads
async def test_connections_are_chosen_by_user_token_and_room(
    alice: User, bob: User, issued: tuple[Token, str], staff: Client, lobby: Room
) -> None:
    token, secret = issued
    async with connect("/ws/echo/", user=alice), connect("/ws/echo/", secret=secret), connect(LOBBY, user=bob) as room:
        await room.next("joined")
        assert await names(staff, user=alice.pk) == ["alice", "alice"]
        [row] = (await seen(staff, token=f"accounts.token:{token.pk}"))["rows"]
        assert row["token_name"] == str(token)
        assert await names(staff, stream=lobby.key) == ["bob"]
        assert (await seen(staff, user=bob.pk))["totals"]["connections"] == 1


@in_threads
async def test_what_is_not_shown_is_told(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "ROWS", 2)
    async with connect("/ws/echo/"), connect("/ws/broadcast/"), connect("/ws/relay/"):
        found = await seen(staff)
        assert [row["route"] for row in found["rows"]] == ["/ws/relay/", "/ws/broadcast/"]
        assert (found["more"], found["totals"]["connections"]) == (1, 3)


@in_threads
async def test_hostile_names_are_json_strings_and_escaped(alice: User, staff: Client, lobby: Room) -> None:
    await db.run(lambda: Room.objects.update(title=HOSTILE))
    await db.run(lambda: User.objects.filter(pk=alice.pk).update(username=HOSTILE))
    await alice.arefresh_from_db()
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        [row] = (await seen(staff))["rows"]
        assert (row["who"], row["streams"][0][0]) == (HOSTILE, HOSTILE)
        for name, query in (
            (PAGE, {"user": str(alice.pk), "q": HOSTILE}),
            (PAGE, {"stream": lobby.key}),
            (DISCONNECT, {"user": str(alice.pk)}),
            (DISCONNECT, {"connection": row["id"]}),
            (PAGE, {"user": HOSTILE}),
        ):
            page: Any = await db.run(partial(staff.get, reverse(name, query=query), follow=True))
            assert page.status_code == 200
            assert "<img" not in page.text


# Who may.


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("permissions", "name", "method", "allowed"),
    [
        ((), PAGE, "get", False),
        ((), DATA, "get", False),
        ((DELETE,), PAGE, "get", False),
        ((DELETE,), DATA, "get", False),
        ((VIEW,), PAGE, "get", True),
        ((VIEW,), DATA, "get", True),
        ((), DISCONNECT, "post", False),
        ((VIEW,), DISCONNECT, "post", False),
        ((VIEW,), DISCONNECT, "get", False),
        ((DELETE,), DISCONNECT, "get", True),
        ((DELETE,), DISCONNECT, "post", True),
    ],
)
def test_each_act_has_its_permission(
    permissions: tuple[str, ...], name: str, method: str, allowed: bool, helper: Helper, bob: User
) -> None:
    answer = getattr(helper(*permissions), method)(reverse(name, query={"user": bob.pk}))
    assert answer.status_code == (403 if not allowed else 302 if method == "post" else 200)
    assert LogEntry.objects.exists() is (allowed and method == "post")


@pytest.mark.django_db
def test_who_is_no_staff_is_sent_to_the_login(client: Client, alice: User) -> None:
    client.force_login(alice)
    for name in (PAGE, DATA, DISCONNECT):
        assert "/admin/login/" in client.get(reverse(name)).headers["location"]


@in_threads
async def test_what_one_may_not_do_is_not_offered(helper: Helper, staff: Client, bob: User, lobby: Room) -> None:
    only_sees = await db.run(helper, VIEW)
    async with connect(LOBBY, user=bob) as socket:
        await socket.next("joined")
        [row] = (await seen(only_sees))["rows"]
        assert row["acts"] == []
        [row] = (await seen(staff))["rows"]
        assert [label for label, _ in row["acts"]] == ["Disconnect…", "Mute or ban…", "Notify…"]


@pytest.mark.django_db
def test_the_index_leads_to_the_page_only_who_may_see_it(helper: Helper) -> None:
    assert reverse(PAGE) not in helper().get("/admin/").text
    assert reverse(PAGE) in helper(VIEW).get("/admin/").text


@pytest.mark.django_db
def test_pages_of_users_tokens_and_streams_lead_to_their_connections(staff: Client, alice: User, token: Token) -> None:
    room, counter, topic = (model.objects.create(name="x") for model in (Room, Counter, Topic))
    for view, thing, query in (
        ("auth_user", alice, f"user={alice.pk}"),
        ("accounts_token", token, f"token=accounts.token:{token.pk}"),
        ("chat_room", room, f"stream={room.key}"),
        ("counter_counter", counter, f"stream={counter.key}"),
        ("notifications_topic", topic, f"stream={topic.key}"),
    ):
        page = staff.get(reverse(f"admin:{view}_change", args=[thing.pk])).text
        assert f"{reverse(PAGE)}?{query}" in page


# Disconnecting.


@in_threads
async def test_one_connection_is_closed_and_no_other(alice: User, staff: Client) -> None:
    async with connect("/ws/echo/", user=alice) as stays, connect("/ws/broadcast/", user=alice) as goes:
        [row, _] = (await seen(staff))["rows"]
        answer = await post(staff, connection=row["id"])
        assert await gone(goes) == BY_STAFF
        assert "Disconnected 1 connection of alice." in answer.text
        await stays.send("still here")
        assert "still here" in str(await stays.frame())
    entry = await LogEntry.objects.aget()
    assert (entry.object_id, entry.change_message) == (row["id"], "Disconnected 1 connection of alice.")


@in_threads
async def test_all_of_a_user_are_closed_and_it_is_in_their_log(alice: User, bob: User, staff: Client) -> None:
    async with (
        connect("/ws/echo/", user=alice) as one,
        connect("/ws/echo/", user=alice) as two,
        connect("/ws/echo/", user=bob) as other,
    ):
        answer = await post(staff, user=alice.pk)
        assert [await gone(one), await gone(two)] == [BY_STAFF, BY_STAFF]
        assert "Disconnected 2 connections of alice." in answer.text
        assert await other.silent()
    entry = await LogEntry.objects.select_related("content_type").aget()
    assert await db.run(entry.get_edited_object) == alice


@in_threads
async def test_all_of_a_token_are_closed(alice: User, issued: tuple[Token, str], staff: Client) -> None:
    token, secret = issued
    async with connect("/ws/echo/", secret=secret) as program, connect("/ws/echo/", user=alice) as page:
        await post(staff, token=f"accounts.token:{token.pk}")
        assert await gone(program) == BY_STAFF
        assert await page.silent()
    assert (await LogEntry.objects.aget()).object_id == str(token.pk)


@in_threads
async def test_all_in_a_room_are_closed(alice: User, bob: User, staff: Client, lobby: Room) -> None:
    await db.run(lambda: Room.objects.create(name="other"))
    async with connect(LOBBY, user=alice) as one, connect("/ws/chat/other/", user=bob) as elsewhere:
        await one.next("joined")
        await elsewhere.next("joined")
        await post(staff, stream=lobby.key)
        assert await gone(one) == BY_STAFF
        assert await elsewhere.silent()


@in_threads
async def test_looking_at_the_question_closes_nothing(alice: User, staff: Client) -> None:
    async with connect("/ws/echo/", user=alice) as socket:
        page: Any = await db.run(lambda: staff.get(reverse(DISCONNECT, query={"user": alice.pk})))
        assert "1 connection of <strong>alice</strong> will be closed." in page.text
        assert await socket.silent()
    assert not await LogEntry.objects.aexists()


@pytest.mark.django_db
def test_a_post_from_elsewhere_closes_nothing(root: User, alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(root)
    assert browser.post(reverse(DISCONNECT, query={"user": alice.pk})).status_code == 403
    assert not LogEntry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"user": "99"},
        {"user": "x"},
        {"user": "9" * 40},
        {"user": "1", "stream": "chat.room:1"},
        {"stream": "chat.room:99"},
        {"stream": "auth.user:1"},
        {"stream": "accounts.token:1"},
        {"stream": "nothing"},
        {"stream": "a.b.c:1"},
        {"token": "chat.room:1"},
        {"token": "5"},
    ],
)
def test_what_is_not_there_is_not_disconnected(query: dict[str, str], staff: Client, alice: User) -> None:
    for method in (staff.get, staff.post):
        assert method(reverse(DISCONNECT, query=query)).headers["location"] == reverse(PAGE)
    assert staff.get(reverse(PAGE, query=query)).status_code == 200
    assert staff.get(reverse(DATA, query=query)).status_code == 200
    assert not LogEntry.objects.exists()


# Beside the page.


@pytest.mark.django_db
def test_a_dump_of_the_database_goes_without_connections(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("dumpdata", "realtime", "chat", "--all")
    assert capsys.readouterr().out.strip() == "[]"


@in_threads
async def test_with_the_layer_away_this_process_is_shown_and_the_page_says_so(
    alice: User, staff: Client, redis_site: RedisServer
) -> None:
    async with connect("/ws/echo/", user=alice):
        found = await seen(staff)
        assert (found["complete"], found["processes"]) == (True, 1)
        redis_site.kill()
        try:
            found = await seen(staff)
        finally:
            redis_site.start()
        assert (found["complete"], [row["who"] for row in found["rows"]]) == (False, ["alice"])
