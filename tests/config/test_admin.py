"""Admin as a whole: what its addresses may hold."""

from collections.abc import Callable

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from chat.models import Room

pytestmark = pytest.mark.django_db

UNASKABLE = [
    "chat/room/?guest_access=%00",
    "chat/room/?q=a%00b",
    "autocomplete/?term=%00&app_label=chat&model_name=room&field_name=readers",
    f"chat/message/?created_at__year={'9' * 40}",
]


@pytest.mark.parametrize("address", UNASKABLE)
def test_what_no_database_can_look_for_is_a_bad_request(address: str, staff: Client) -> None:
    assert staff.get(f"/admin/{address}").status_code == 400


def test_a_password_is_changed_where_wrong_ones_are_counted(staff: Client) -> None:
    assert staff.get("/admin/password_change/").headers["location"] == "/accounts/password/"


def test_the_way_to_an_object_s_page_is_for_who_sees_it_here(helper: Callable[..., Client]) -> None:
    room = Room.objects.create(name="secret", guest_access="none", member_access="none")
    kind = ContentType.objects.get_for_model(Room)
    url = reverse("admin:view_on_site", args=[kind.pk, room.pk])
    assert helper("view_counter").get(url).status_code == 404
    assert helper("view_counter").get(reverse("admin:view_on_site", args=[kind.pk, 4711])).status_code == 404
    assert helper("view_room", "change_room").get(url).headers["location"].endswith("/chat/secret/")


@pytest.mark.parametrize("what", ["x/1", "0/1", "1/x", f"{'9' * 30}/1"])
def test_a_way_to_nothing_leads_nowhere(staff: Client, what: str) -> None:
    assert staff.get(f"/admin/r/{what}/").status_code in {400, 404}
