"""Counters in admin, as people who do not program meet them."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from counter.events import MAX_VALUE
from counter.models import Change, Counter
from realtime import db
from realtime.access import AccessLevel, Identity
from realtime.admin import LISTS
from realtime.testing import connect

pytestmark = pytest.mark.django_db
LIST = "admin:counter_counter_changelist"
ALICE = Identity("user:1", "alice")


@pytest.fixture
def cups(db: None) -> Counter:
    """A counter that stands at 7."""
    counter: Counter = Counter.objects.create(name="cups", title="Cups of coffee", guest_access=AccessLevel.WRITE)
    counter.add(ALICE, 7)
    return counter


def set_url(counter: Counter) -> str:
    return reverse("admin:counter_counter_set", args=[counter.pk])


def change_url(counter: Counter) -> str:
    return reverse("admin:counter_counter_change", args=[counter.pk])


def stands(counter: Counter) -> tuple[int, int]:
    """Its value and version in the database."""
    row = Counter.objects.get(pk=counter.pk)
    return row.value, row.last_seq


def test_the_list_shows_where_counters_stand_and_the_way_to_them(staff: Client, cups: Counter) -> None:
    page = staff.get(reverse(LIST)).text
    assert 'class="field-value">7<' in page
    assert set_url(cups) in page
    assert cups.get_absolute_url() in page


def test_forms_have_no_technical_fields(staff: Client, cups: Counter) -> None:
    for url in (reverse("admin:counter_counter_add"), change_url(cups)):
        fields = staff.get(url).context["adminform"].form.fields
        assert fields.keys() <= {"name", "title", "private", "guest_access", "member_access", *LISTS}


def test_a_counter_made_in_admin_stands_at_0(staff: Client) -> None:
    form = {"name": "bugs", "title": "", "guest_access": "read", "member_access": "write"}
    inlines = {"changes-TOTAL_FORMS": "0", "changes-INITIAL_FORMS": "0"}
    staff.post(reverse("admin:counter_counter_add"), {**form, **inlines})
    assert stands(Counter.objects.get(name="bugs")) == (0, 0)


def test_setting_records_who_and_why(staff: Client, cups: Counter) -> None:
    answer = staff.post(set_url(cups), {"value": "3", "reason": "stock-taking"}, follow=True)
    assert "Cups of coffee is now 3." in answer.text
    change = Change.objects.get()
    assert (change.sender_name, change.delta, change.value, change.reason) == ("root", -4, 3, "stock-taking")
    assert stands(cups) == (3, 2)
    assert "Set to 3: stock-taking" in str(LogEntry.objects.get().get_change_message())


def test_what_staff_set_is_shown_and_what_was_clicked_is_not(staff: Client, cups: Counter) -> None:
    cups.add(ALICE, 5, "clicked")
    cups.set_to(Identity("user:9", "carol"), 3, "stock-taking")
    page = staff.get(change_url(cups)).text
    assert all(text in page for text in ("carol", "-9", "stock-taking"))
    assert "clicked" not in page


@pytest.mark.parametrize(
    ("field", "form"),
    [
        ("reason", {"value": "3", "reason": ""}),
        ("reason", {"value": "3", "reason": "x" * 201}),
        ("value", {"value": "", "reason": "why"}),
        ("value", {"value": "x", "reason": "why"}),
        ("value", {"value": str(MAX_VALUE + 1), "reason": "why"}),
    ],
)
def test_what_cannot_be_set_is_told_by_field(field: str, form: dict[str, str], staff: Client, cups: Counter) -> None:
    answer = staff.post(set_url(cups), form)
    assert list(answer.context["form"].errors) == [field]
    assert stands(cups) == (7, 1)


def test_the_form_begins_with_the_value_and_sets_nothing_by_being_looked_at(staff: Client, cups: Counter) -> None:
    assert staff.get(set_url(cups)).context["form"].initial["value"] == 7
    assert stands(cups) == (7, 1)


@pytest.mark.parametrize(
    ("permissions", "may"),
    [((), False), (("change_counter",), False), (("set_counter",), False), (("change_counter", "set_counter"), True)],
)
def test_setting_is_a_permission_of_its_own(
    permissions: tuple[str, ...], may: bool, helper: Callable[..., Client], cups: Counter
) -> None:
    answer = helper(*permissions).post(set_url(cups), {"value": "3", "reason": "why"})
    assert answer.status_code == (302 if may else 403)
    assert stands(cups)[0] == (3 if may else 7)


def test_who_is_no_staff_is_sent_to_the_login(client: Client, cups: Counter, alice: User) -> None:
    client.force_login(alice)
    assert "/login/" in client.post(set_url(cups), {"value": "3", "reason": "why"}).headers["location"]
    assert stands(cups) == (7, 1)


def test_a_counter_that_is_gone_leads_back_to_the_list(staff: Client) -> None:
    assert staff.get(reverse("admin:counter_counter_set", args=[99])).headers["location"] == reverse(LIST)


def test_a_form_that_was_open_meanwhile_rewinds_nothing_and_keeps_the_name(staff: Client, cups: Counter) -> None:
    form = {"name": "other", "title": "Mugs", "guest_access": "read", "member_access": "write"}
    inlines = {"changes-TOTAL_FORMS": "0", "changes-INITIAL_FORMS": "0"}
    staff.post(change_url(cups), {**form, **inlines, "value": "0", "last_seq": "0"})
    row = Counter.objects.get()
    assert (row.title, row.name, row.value, row.last_seq) == ("Mugs", "cups", 7, 1)


@pytest.mark.django_db(transaction=True)
async def test_open_pages_are_told_what_staff_set(staff: Client, cups: Counter) -> None:
    async with connect("/ws/counter/cups/") as socket:
        await socket.next("state", value=7)
        await db.run(staff.post, set_url(cups), {"value": "3", "reason": "stock-taking"})
        assert await socket.next("state", value=3) == {"type": "state", "value": 3, "version": 2}
