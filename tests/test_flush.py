"""What is left of one test for the next."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.test import TransactionTestCase

from chat.models import Room

pytestmark = pytest.mark.django_db(transaction=True)


def end_a_test() -> None:
    """What follows a test whose transactions are real."""
    TransactionTestCase()._fixture_teardown()  # type: ignore[attr-defined]  # noqa: SLF001 - it has no other name


def test_rows_go_and_what_migrate_made_stays() -> None:
    Room.objects.create(name="lobby")
    before = [*Permission.objects.values_list("pk", "codename")]
    assert before
    end_a_test()
    assert not Room.objects.exists()
    assert [*Permission.objects.values_list("pk", "codename")] == before


@pytest.mark.parametrize("model", [Permission, ContentType])
def test_what_a_test_took_from_that_is_made_again(model: type[Permission | ContentType]) -> None:
    before = {*Permission.objects.values_list("codename", "content_type__model")}
    model.objects.all().delete()
    assert not Permission.objects.exists()
    end_a_test()
    assert {*Permission.objects.values_list("codename", "content_type__model")} == before
    assert ContentType.objects.get_for_model(Room) == ContentType.objects.get(app_label="chat", model="room")


def test_what_a_test_added_to_that_goes() -> None:
    Permission.objects.create(codename="fly", content_type=ContentType.objects.get_for_model(Room))
    end_a_test()
    assert not Permission.objects.filter(codename="fly").exists()
