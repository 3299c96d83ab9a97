"""Lists of admin as CSV: what is in it, and what no spreadsheet may take for a formula."""

import csv
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import AsyncClient, Client
from django.urls import reverse

from accounts.models import Token
from chat.models import Room
from counter.models import Counter
from realtime import csv_export, db
from realtime.access import Identity
from realtime.csv_export import safe_cell

pytestmark = pytest.mark.django_db
OPS = Identity("user:99", "ops")
LISTS = (
    *("auth_user", "auth_group", "accounts_token", "admin_logentry"),
    *("chat_room", "chat_message", "chat_sanction", "counter_counter"),
    *("notifications_topic", "notifications_notification"),
)


def table(client: Client, name: str, query: str = "") -> list[dict[str, str]]:
    """The rows of a list's CSV."""
    answer: Any = client.get(reverse(f"admin:{name}_export") + query)
    assert answer.status_code == 200
    return [*csv.DictReader(StringIO(b"".join(answer.streaming_content).decode()))]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\nx", "  =1", "＝1", "-5"])
def test_what_looks_like_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", "a=1", "1-1", "é", " x", "'=1", "7"])
def test_other_text_is_what_it_was(value: str) -> None:
    assert safe_cell(value) == value


@pytest.mark.parametrize("name", LISTS)
def test_every_list_leads_to_its_csv(staff: Client, name: str) -> None:
    page = staff.get(reverse(f"admin:{name}_changelist")).text
    assert f'<a href="{reverse(f"admin:{name}_export")}">Export CSV</a>' in page
    table(staff, name)


def test_its_columns_are_those_of_the_list(staff: Client, lobby: Room) -> None:
    lobby.post(OPS, '=HYPERLINK("http://evil.example")')
    [row] = table(staff, "chat_message")
    assert [*row] == ["sent", "room", "sender", "message"]
    assert (row["room"], row["sender"], row["message"]) == ("lobby", "ops", '\'=HYPERLINK("http://evil.example")')


def test_filters_and_search_count(staff: Client, lobby: Room) -> None:
    other = Room.objects.create(name="other")
    for room, text in ((lobby, "one"), (lobby, "two"), (other, "one")):
        room.post(OPS, text)
    assert [row["room"] for row in table(staff, "chat_message", f"?stream__id__exact={other.pk}")] == ["other"]
    assert len(table(staff, "chat_message", "?q=one")) == 2
    page = staff.get(reverse("admin:chat_message_changelist") + "?q=one").text
    assert f'{reverse("admin:chat_message_export")}?q=one"' in page


def test_a_filter_that_makes_no_sense_leads_to_the_list(staff: Client, lobby: Room) -> None:
    Room.objects.create(name="other")
    answer = staff.get(reverse("admin:chat_message_export") + "?stream__id__exact=x")
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:chat_message_changelist"))


def test_it_is_for_who_may_see_the_list(helper: Callable[..., Client]) -> None:
    url = reverse("admin:chat_message_export")
    assert helper("view_room").get(url).status_code == 403
    assert helper("view_message").get(url).status_code == 200


def test_links_are_their_text_and_numbers_are_numbers(staff: Client, root: User, issued: tuple[Token, str]) -> None:
    Counter.objects.create(name="clicks", value=-12345)
    assert [row["value"] for row in table(staff, "counter_counter")] == ["'-12345"]
    assert {row["username"]: row["tokens"] for row in table(staff, "auth_user")} == {"alice": "1", "root": "0"}


def test_no_secret_is_in_it(staff: Client, issued: tuple[Token, str]) -> None:
    token, secret = issued
    [row] = table(staff, "accounts_token")
    assert secret not in str(row)
    assert token.digest not in str(row)


def test_a_deleted_text_is_not_in_it(staff: Client, lobby: Room) -> None:
    said = lobby.post(OPS, "a secret")
    lobby.delete_message(OPS, said.seq)
    assert [row["message"] for row in table(staff, "chat_message")] == ["(deleted)"]


def test_it_is_read_and_sent_in_parts(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_export, "ROWS_AT_ONCE", 2)
    Group.objects.bulk_create(Group(name=f"group{number}") for number in range(5))
    answer: Any = staff.get(reverse("admin:auth_group_export"))
    assert len([*answer.streaming_content]) == 4
    assert [row["group"] for row in table(staff, "auth_group")] == [f"group{number}" for number in range(5)]


def test_it_has_a_bound(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_export, "MOST_ROWS", 3)
    Group.objects.bulk_create(Group(name=f"group{number}") for number in range(5))
    assert len(table(staff, "auth_group")) == 3


@pytest.mark.django_db(transaction=True)
async def test_a_server_streams_it(root: User) -> None:
    await db.run(lambda: Room.objects.create(name="lobby").post(OPS, "hi"))
    browser = AsyncClient()
    await browser.aforce_login(root)
    answer: Any = await browser.get(reverse("admin:chat_message_export"))
    assert answer.is_async
    assert b"hi" in b"".join([piece async for piece in answer.streaming_content])
