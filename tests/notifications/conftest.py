"""What the tests of notifications share: topics, and who may publish to people."""

import pytest
from django.contrib.auth.models import Permission, User

from notifications.models import Topic


@pytest.fixture
def alerts(db: None) -> Topic:
    """A topic that guests read and members write."""
    topic: Topic = Topic.objects.create(name="alerts")
    return topic


@pytest.fixture
def backups(db: None) -> Topic:
    """Another."""
    topic: Topic = Topic.objects.create(name="backups")
    return topic


@pytest.fixture
def herald(bob: User) -> User:
    """Bob, who may notify single people."""
    bob.user_permissions.add(Permission.objects.get(codename="publish_to_people"))
    return bob
