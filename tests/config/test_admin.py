"""Admin as a whole: what its addresses may hold."""

import pytest
from django.test import Client

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
