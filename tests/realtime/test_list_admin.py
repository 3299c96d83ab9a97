"""What every list of admin has. Messages and rooms stand for all."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Token
from chat.models import Message, Room
from realtime import db, list_admin
from realtime.access import Identity
from realtime.list_admin import SHOWN, first_lines, in_steps
from realtime.testing import connect

pytestmark = pytest.mark.django_db
LIST = reverse("admin:chat_message_changelist")
OPS = Identity("user:99", "ops")


def chosen(*pks: int, **more: str) -> dict[str, object]:
    """The form of a list that asks for the deletion of these."""
    return {"action": "delete_selected", "index": "0", "_selected_action": pks, **more}


def fill(room: Room, number: int) -> None:
    """Say many things, quickly."""
    said = {"stream": room, "text": "spam", "created_at": timezone.now(), "sender_name": "spammer"}
    Message.objects.bulk_create(Message(seq=seq, **said) for seq in range(1, number + 1))
    Room.objects.filter(pk=room.pk).update(last_seq=number)


def test_a_nested_list_is_cut_to_its_first_lines() -> None:
    nested = ["a", ["b", ["c"]], "d", ["e"]]
    assert first_lines(nested, 5) == nested
    assert first_lines(nested, 3) == ["a", ["b", ["c"]], "… and 2 more"]


def test_many_rows_come_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_admin, "STEP", 2)
    assert [*in_steps("abcde")] == [["a", "b"], ["c", "d"], ["e"]]


def test_thousands_are_deleted_together(staff: Client, lobby: Room) -> None:
    fill(lobby, 2000)
    first = Message.objects.values_list("pk", flat=True)[0]
    page = staff.post(LIST, chosen(first, select_across="1")).text
    named = [int(pk) for pk in re.findall(r'name="_selected_action" value="(\d+)"', page)]
    assert (len(named), page.count("<li>message ")) == (2000, SHOWN)
    assert "… and 1900 more" in page
    assert staff.post(LIST, chosen(*named, post="yes")).status_code == 302
    assert not Message.objects.filter(target=None, deleted=False).exists()
    assert LogEntry.objects.count() == 2000


def test_their_texts_are_not_read_for_it(staff: Client, lobby: Room) -> None:
    pk = lobby.post(OPS, "long").pk
    with CaptureQueriesContext(connection) as asked:
        staff.post(LIST, chosen(pk))
        staff.post(LIST, chosen(pk, post="yes"))
    read = [query["sql"] for query in asked if query["sql"].startswith("SELECT")]
    assert any('FROM "chat_message"' in sql for sql in read)
    assert not any('"chat_message"."text"' in sql for sql in read)
    assert Message.objects.get(pk=pk).deleted


@pytest.mark.django_db(transaction=True)
async def test_open_pages_learn_of_each(staff: Client, lobby: Room) -> None:
    said = [await db.run(lobby.post, OPS, text) for text in ("one", "two", "three")]
    async with connect("/ws/chat/lobby/") as socket:
        await socket.next("joined")
        await db.run(lambda: staff.post(LIST, chosen(said[0].pk, said[2].pk, post="yes")))
        targets = [(await socket.next("deleted"))["target"] for _ in range(2)]
    assert sorted(targets) == [1, 3]


def test_the_question_before_a_room_goes_is_short(staff: Client, lobby: Room) -> None:
    fill(lobby, 1000)
    page = staff.get(reverse("admin:chat_room_delete", args=[lobby.pk])).text
    assert page.count("<li>") < SHOWN + 20
    assert "Messages: 1000" in page


def test_more_than_one_request_can_do_are_not_acted_on(
    staff: Client, lobby: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_admin, "MOST_CHOSEN", 2)
    pks = [lobby.post(OPS, text).pk for text in ("one", "two", "three")]
    for form in (chosen(*pks, post="yes"), chosen(pks[0], select_across="1")):
        answer = staff.post(LIST, form, follow=True)
        assert "At most 2 at once, and these are 3. Narrow the list with a filter first." in answer.text
    assert not Message.objects.filter(deleted=True).exists()


@pytest.mark.parametrize("page", ["auth_user", "accounts_token", "chat_message"])
def test_a_name_is_found_however_it_is_typed(staff: Client, lobby: Room, page: str) -> None:
    user = User.objects.create_user("jos\u00e9")
    Token.issue(user, "laptop")
    lobby.post(Identity.of_user(user), "Hi")
    for typed in ("jos\u00e9", "jose\u0301"):
        shown = staff.get(reverse(f"admin:{page}_changelist"), {"q": typed})
        assert shown.context["cl"].result_count == 1


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("accounts_token", "digest__startswith=a"),
        ("chat_message", "sender_key__startswith=guest"),
        ("chat_message", "client_id=1"),
        ("chat_sanction", "identity_key__startswith=guest"),
        ("notifications_notification", "sender_key=x"),
        ("auth_user", "chorus_tokens__isnull=1"),
        ("auth_user", "password__startswith=md5"),
        ("accounts_token", "owner__password__startswith=md5"),
    ],
)
def test_nothing_that_is_not_shown_is_found_out_by_filters(staff: Client, name: str, query: str) -> None:
    for view in ("changelist", "export"):
        assert staff.get(f"{reverse(f'admin:{name}_{view}')}?{query}").status_code == 400


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("accounts_token", "owner__id__exact=1"),
        ("accounts_token", "state=active"),
        ("chat_message", "stream__id__exact=1"),
        ("chat_room", "readers=1"),
        ("chat_room", "id__in=1,2"),
        ("chat_sanction", "room__id__exact=1"),
        ("auth_user", "groups__id__exact=1"),
        ("admin_logentry", "action_time__year=2026"),
        ("counter_counter", "value__gt=1"),
    ],
)
def test_what_is_shown_can_be_asked_for(staff: Client, name: str, query: str) -> None:
    assert staff.get(f"{reverse(f'admin:{name}_changelist')}?{query}").status_code == 200
