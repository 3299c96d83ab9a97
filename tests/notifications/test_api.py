"""Topics over HTTP."""

import pytest
from django.contrib.auth.models import Permission, User
from pytest_django import Settings

from accounts.models import Token
from notifications.models import Cursor, Topic
from realtime import db
from realtime.access import AccessLevel, Identity
from realtime.testing import connect
from tests.ask import ask

pytestmark = pytest.mark.django_db(transaction=True)

BACKUPS = "/api/notifications/backups/"
PROGRAM = Identity("program:backup", "backup")


def own_topic(user: User) -> Topic:
    return Topic.objects.open("me", Identity.of_user(user))


async def test_a_bare_body_is_the_message(backups: Topic, secret: str) -> None:
    async with connect("/ws/notifications/") as socket:
        await socket.command("subscribe", topics=["backups"])
        await socket.next("subscribed")
        answer = await ask("POST", BACKUPS, body="Backup done", secret=secret)
        assert answer.status == 201
        assert answer.json == {"type": "published", "topic": "backups", "recipients": 1, "seq": 1}
        assert (await socket.next("notification"))["message"] == "Backup done"


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "image/png", ""])
async def test_a_bare_body_is_the_message_whatever_its_type(backups: Topic, secret: str, content_type: str) -> None:
    await ask("POST", BACKUPS, body='{"a": 1}', content_type=content_type, secret=secret)
    assert (await ask("GET", BACKUPS)).json["messages"][0]["message"] == '{"a": 1}'


async def test_headers_say_the_rest(backups: Topic, secret: str) -> None:
    typed = "Nächtlich".encode().decode("latin-1")  # as curl sends it
    headers = {"Title": typed, "Priority": "5", "Tags": "disk, db1"}
    await ask("POST", BACKUPS, body="done", secret=secret, headers=headers)
    told = (await ask("GET", BACKUPS)).json["messages"][0]
    assert (told["title"], told["priority"], told["tags"]) == ("Nächtlich", 5, ["disk", "db1"])


async def test_json_says_it_all(backups: Topic, secret: str) -> None:
    said = {"message": "done", "title": "Nightly", "priority": 1, "tags": ["disk"], "topic": "other"}
    assert (await ask("POST", BACKUPS, json=said, secret=secret)).json["topic"] == "backups"
    told = (await ask("GET", BACKUPS)).json["messages"][0]
    assert said.items() >= {name: told[name] for name in ("message", "title", "priority", "tags")}.items()


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"Priority": "6"}, "priority"),
        ({"Priority": "high"}, "priority"),
        ({"Title": "x" * 201}, "title"),
        ({"Tags": ",".join("abcdefghijk")}, "tags"),
    ],
)
async def test_a_wrong_header_is_named(backups: Topic, secret: str, headers: dict[str, str], field: str) -> None:
    answer = await ask("POST", BACKUPS, body="done", secret=secret, headers=headers)
    assert answer.error == (400, "invalid")
    assert field in answer.json["fields"]


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"\x00"])
async def test_a_body_that_is_no_text_is_no_message(backups: Topic, secret: str, body: bytes) -> None:
    answer = await ask("POST", BACKUPS, body=body, secret=secret)
    assert answer.error == (400, "invalid")
    assert "message" in answer.json["fields"]


async def test_a_message_is_as_long_as_on_a_socket(backups: Topic, secret: str, settings: Settings) -> None:
    settings.CHORUS_MAX_TEXT = 3
    assert (await ask("POST", BACKUPS, body="long", secret=secret)).error == (413, "too_long")


async def test_the_same_key_publishes_once(backups: Topic, secret: str) -> None:
    first, again = [
        await ask("POST", BACKUPS, body="done", secret=secret, headers={"Idempotency-Key": "a"}) for _ in range(2)
    ]
    assert (first.status, first.json["seq"], first.json["id"]) == (201, 1, "a")
    assert (again.status, again.json["seq"], again.json["duplicate"]) == (200, 1, True)


async def test_guests_who_may_only_read_do_not_publish(backups: Topic) -> None:
    assert (await ask("POST", BACKUPS, body="done")).error == (401, "forbidden")


async def test_a_person_is_reached_by_name(alice: User, bob: User, secret: str) -> None:
    await alice.user_permissions.aadd(await Permission.objects.aget(codename="publish_to_people"))
    async with connect("/ws/notifications/", user=bob) as socket:
        await socket.command("subscribe", topics=["me"])
        await socket.next("subscribed")
        assert (await ask("POST", "/api/notifications/@bob", body="Hi", secret=secret)).json["recipients"] == 1
        assert (await socket.next("notification"))["topic"] == "me"


async def test_a_person_s_topic_is_theirs_to_read(alice: User, bob: User, secret: str) -> None:
    await db.run(lambda: own_topic(bob).publish(PROGRAM, "for you"))
    assert (await ask("GET", "/api/notifications/@bob/", secret=secret)).error == (403, "forbidden")


async def test_me_is_one_s_own(alice: User, secret: str) -> None:
    await db.run(lambda: own_topic(alice).publish(PROGRAM, "for you"))
    page = (await ask("GET", "/api/notifications/me/", secret=secret)).json
    assert (page["topic"], page["messages"][0]["message"]) == ("me", "for you")


async def test_a_guest_has_no_topic_of_their_own() -> None:
    assert (await ask("GET", "/api/notifications/me/")).error == (401, "forbidden")


async def test_topics_that_may_not_be_read_are_not_listed(backups: Topic, alice: User, bob: User) -> None:
    await Topic.objects.acreate(name="board", guest_access=AccessLevel.NONE)
    await db.run(own_topic, bob)
    answer = await ask("GET", "/api/notifications/")
    assert [topic["name"] for topic in answer.json["topics"]] == ["backups"]


async def test_one_s_own_topic_is_listed(backups: Topic, secret: str) -> None:
    answer = await ask("GET", "/api/notifications/", secret=secret)
    assert [topic["name"] for topic in answer.json["topics"]] == ["backups", "me"]


async def test_newer_notifications_are_asked_by_their_position(backups: Topic) -> None:
    for message in ("one", "two"):
        await db.run(backups.publish, PROGRAM, message)
    page = (await ask("GET", f"{BACKUPS}?since=1")).json
    assert [told["message"] for told in page["messages"]] == ["two"]
    assert page["epoch"] == backups.epoch


async def test_who_acknowledged(backups: Topic, alice: User, secret: str) -> None:
    await db.run(backups.publish, PROGRAM, "one")
    await db.run(Cursor.acknowledge, alice, backups, 1)
    answer = await ask("GET", f"{BACKUPS}1/", secret=secret)
    assert (answer.json["message"], answer.json["acknowledged_by"]) == ("one", ["alice"])


async def test_guests_are_not_told_who_acknowledged(backups: Topic, alice: User) -> None:
    await db.run(backups.publish, PROGRAM, "one")
    await db.run(Cursor.acknowledge, alice, backups, 1)
    assert "acknowledged_by" not in (await ask("GET", f"{BACKUPS}1/")).json


@pytest.mark.parametrize("seq", [2, 2**63 - 1])
async def test_a_position_that_is_not_there_is_not_found(backups: Topic, seq: int) -> None:
    assert (await ask("GET", f"{BACKUPS}{seq}/")).error == (404, "not_found")


@pytest.mark.parametrize("seq", ["-1", "one", 2**63])
async def test_what_is_no_position_is_invalid(backups: Topic, seq: object) -> None:
    assert (await ask("GET", f"{BACKUPS}{seq}/")).error == (400, "invalid")


@pytest.mark.parametrize("name", ["@", "@nobody", "@a%00b", "-"])
async def test_what_names_no_topic_is_refused(secret: str, name: str) -> None:
    answer = await ask("GET", f"/api/notifications/{name}/", secret=secret)
    assert answer.error in {(400, "invalid"), (403, "forbidden")}


@pytest.mark.parametrize("path", ["new/", "new/stream", "stream?topics=new", "new/1/"])
async def test_a_get_makes_no_topic_for_who_may_make_one_and_a_post_does(root: User, path: str) -> None:
    secret = (await db.run(Token.issue, root, "script"))[1]
    answer = await ask("GET", f"/api/notifications/{path}", secret=secret)
    assert answer.error == (404, "not_found")
    assert not await Topic.objects.aexists()
    assert (await ask("POST", "/api/notifications/new/", body="hi", secret=secret)).status == 201


@pytest.mark.parametrize("address", ["", "1/", "stream"])
async def test_an_error_repeats_no_topic_of_any_length(root: User, address: str) -> None:
    secret = (await db.run(Token.issue, root, "test"))[1]
    answer = await ask("GET", f"/api/notifications/@{'x' * 50_000}/{address}", secret=secret)
    assert answer.error == (400, "invalid")
    assert len(answer.response.content) < 4096


@pytest.mark.parametrize("field", ["message", "title", "tags"])
async def test_what_holds_a_token_is_not_published(backups: Topic, secret: str, field: str) -> None:
    body = secret if field == "message" else "done"
    headers = {} if field == "message" else {field.title(): secret}
    answer = await ask("POST", BACKUPS, body=body, headers=headers, secret=secret)
    assert answer.error == (400, "invalid")
    assert secret not in str(answer.json)
    assert (await ask("GET", BACKUPS)).json["seq"] == 0


@pytest.mark.parametrize("digits", [10, 5000])
async def test_a_number_of_many_digits_is_invalid(backups: Topic, secret: str, digits: int) -> None:
    many = "9" * digits
    answer = await ask("POST", BACKUPS, body="done", secret=secret, headers={"Priority": many})
    assert answer.error == (400, "invalid")
    assert answer.json["fields"].keys() == {"priority"}
    assert (await ask("GET", f"{BACKUPS}{many}/")).status in {400, 404}
    assert (await ask("GET", f"{BACKUPS}?before={many}")).status in {200, 400}
