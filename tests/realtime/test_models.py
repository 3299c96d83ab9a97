"""The model of open sockets, which is there for admin's permissions and has no table; and the table of people's ids."""

import re

from django.contrib.auth.models import Permission
from django.db import connection

from realtime.models import Connection, Person, new_sender_id


def test_there_is_no_table_and_no_row(db: None) -> None:
    assert Connection._meta.db_table not in connection.introspection.table_names()
    assert not Connection.objects.exists()
    assert [*Connection._meta.base_manager.all()] == []


def test_staff_may_be_let_see_and_close_them_and_nothing_else(db: None) -> None:
    found = Permission.objects.filter(content_type__app_label="realtime", content_type__model="connection")
    assert {permission.codename for permission in found} == {"view_connection", "delete_connection"}


def test_one_is_called_by_its_key() -> None:
    assert str(Connection(pk="ab12")) == "Connection ab12"


def test_an_id_is_random_and_fits_into_an_address() -> None:
    ids = {new_sender_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"[\w-]{16}", each) for each in ids)


def test_ids_are_nothing_that_staff_are_let_see(db: None) -> None:
    assert not Permission.objects.filter(content_type__app_label="realtime", content_type__model="person").exists()
    assert str(Person(sender_id="ab12", key="user:1")) == "ab12"
