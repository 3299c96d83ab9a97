"""The counter's page."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from counter.models import Counter, Sample
from counter.views import line_of
from realtime.access import AccessLevel, Identity


@pytest.fixture
def coffee(db: None) -> Counter:
    """A counter that guests may watch and members may press."""
    made: Counter = Counter.objects.create(name="coffee", title="Cups", guest_access=AccessLevel.READ)
    return made


def test_the_default_counter_has_the_shortest_address(client: Client, db: None) -> None:
    Counter.objects.create(name="default")
    answer = client.get("/counter/")
    assert answer.context["route"] == "/ws/counter/"
    assert client.get("/counter/default/").headers["location"] == "/counter/"


def test_a_counter_has_its_own_address(client: Client, coffee: Counter) -> None:
    answer = client.get(coffee.get_absolute_url())
    assert answer.context["route"] == "/ws/counter/coffee/"
    assert '<h1 dir="auto">Cups</h1>' in answer.text


def test_capitals_lead_to_lower_case(client: Client, coffee: Counter) -> None:
    assert client.get("/counter/Coffee/").headers["location"] == "/counter/coffee/"


@pytest.mark.parametrize("name", ["-", "a b", "x" * 65, ".."])
def test_what_is_no_name_is_not_found(client: Client, development: None, db: None, name: str) -> None:
    assert client.get(f"/counter/{name}/").status_code == 404


def test_a_counter_that_nobody_made_is_not_there_and_who_may_is_led_to_make_it(client: Client, root: User) -> None:
    assert client.get("/counter/new/").status_code == 404
    client.force_login(root)
    answer = client.get("/counter/new/")
    assert answer.status_code == 404
    assert "/admin/counter/counter/add/?name=new" in answer.text
    assert not Counter.objects.exists()


def test_in_development_anybody_may_open_a_new_one(client: Client, development: None, db: None) -> None:
    assert client.get("/counter/new/").status_code == 200


def test_a_counter_one_may_not_read_is_not_found(client: Client, coffee: Counter, alice: User) -> None:
    Counter.objects.update(guest_access=AccessLevel.NONE)
    assert client.get("/counter/coffee/").status_code == 404
    client.force_login(alice)
    assert client.get("/counter/coffee/").status_code == 200


def test_who_may_only_watch_is_told_why(client: Client, coffee: Counter, alice: User) -> None:
    answer = client.get("/counter/coffee/")
    assert "Guests may watch this counter." in answer.text
    assert "/accounts/login/?next=/counter/coffee/" in answer.text
    assert 'data-click="plus"' not in answer.text
    client.force_login(alice)
    assert 'data-click="plus"' in client.get("/counter/coffee/").text


def test_only_readable_counters_are_listed(client: Client, coffee: Counter) -> None:
    Counter.objects.create(name="hidden", guest_access=AccessLevel.NONE)
    assert list(client.get("/counter/coffee/").context["counters"]) == [coffee]


def test_the_form_opens_a_counter_by_its_name(client: Client, coffee: Counter) -> None:
    assert client.get("/counter/", {"name": " Big Coffee "}).headers["location"] == "/counter/big-coffee/"
    Counter.objects.create(name="default")
    assert client.get("/counter/", {"name": "no/name"}).context["form"].errors


def test_the_page_shows_where_the_counter_stands(client: Client, coffee: Counter, alice: User) -> None:
    change = coffee.add(Identity.of_user(alice), 7)
    assert f'data-version="{change.seq}" data-value="7"' in client.get("/counter/coffee/").text


def test_the_line_begins_where_the_counter_stood_an_hour_ago(coffee: Counter) -> None:
    now = timezone.now()
    for minutes, value in ((200, 1), (90, 5), (30, 6), (1, 9)):
        Sample.objects.create(counter=coffee, minute=now - timedelta(minutes=minutes), value=value)
    assert [value for _, value in line_of(coffee)["points"]] == [5, 6, 9]


def test_the_line_of_a_new_counter_begins_at_nothing(coffee: Counter, alice: User) -> None:
    assert [value for _, value in line_of(coffee)["points"]] == [0]
    coffee.add(Identity.of_user(alice), 3)
    assert [value for _, value in line_of(coffee)["points"]] == [0, 3]
    assert [value for _, value in line_of(Counter(name="unsaved"))["points"]] == [0]
