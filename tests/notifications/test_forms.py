"""What staff write, as the verb takes it."""

import pytest
from django.contrib.auth.models import User

from notifications.draft import Draft
from notifications.forms import PersonForm, PublishForm
from notifications.models import Topic
from realtime.access import Identity

pytestmark = pytest.mark.django_db
WRITTEN = {"title": "db1", "message": "Disk full", "priority": "5"}


def test_what_is_written_to_a_person_makes_a_draft(root: User) -> None:
    form = PersonForm(WRITTEN)
    form.sender = Identity.of_user(root)
    assert form.is_valid()
    assert Draft(**form.said) == Draft("Disk full", title="db1", priority=5)


def test_tags_are_written_with_commas(root: User) -> None:
    topic = Topic.objects.create(name="alerts")
    form = PublishForm({**WRITTEN, "stream": topic.pk, "tags": "disk, db ,,"})
    form.sender = Identity.of_user(root)
    assert form.is_valid()
    assert Draft(**form.said).tags == ["disk", "db"]


def test_who_may_not_write_in_the_topic_is_told_in_the_form(alice: User) -> None:
    topic = Topic.objects.create(name="alerts", member_access="read")
    form = PublishForm({**WRITTEN, "stream": topic.pk, "tags": ""})
    form.sender = Identity.of_user(alice)
    assert form.non_field_errors() == ["Members may not write here."]
