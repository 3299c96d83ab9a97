"""What the app does when it is loaded."""

from django.db.models.signals import post_delete, post_save

from chat.models import Sanction


def test_sanctions_are_listened_to() -> None:
    assert post_save.has_listeners(Sanction)
    assert post_delete.has_listeners(Sanction)
