"""Lists on the page of what they belong to. What staff set a counter to stands for all."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from counter.models import Counter
from realtime.access import Identity
from realtime.newest_formset import SHOWN

pytestmark = pytest.mark.django_db
OPS = Identity("user:99", "ops")


@pytest.fixture
def page(db: None) -> str:
    """The page of a counter that staff set once more than is shown."""
    cups = Counter.objects.create(name="cups")
    for number in range(SHOWN + 1):
        cups.set_to(OPS, number, f"count {number}.")
    return reverse("admin:counter_counter_change", args=[cups.pk])


def test_the_newest_are_shown_and_the_others_counted(staff: Client, page: str) -> None:
    shown = staff.get(page).text
    assert f"These are the newest of {SHOWN + 1}." in shown
    assert f"count {SHOWN}." in shown
    assert "count 1." in shown
    assert "count 0." not in shown


def test_its_form_is_saved_though_more_came(staff: Client, page: str, root: User) -> None:
    inline = staff.get(page).context["inline_admin_formsets"][0].formset
    sent = {f"{inline.prefix}-{name}": value for name, value in inline.management_form.initial.items()}
    sent |= {f"{form.prefix}-id": form.instance.pk for form in inline.forms}
    cups = Counter.objects.get()
    cups.set_to(OPS, 7, "meanwhile")
    answer = staff.post(page, {"title": "Cups", "guest_access": "read", "member_access": "read", **sent})
    assert answer.status_code == 302
    cups.refresh_from_db()
    assert (cups.title, cups.value) == ("Cups", 7)
