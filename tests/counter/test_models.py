"""What can be done to counters, whoever does it and from wherever."""

import json
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from accounts.secret import new_secret
from counter import models
from counter.events import MAX_DELTA, MAX_VALUE
from counter.models import Change, Counter, Sample
from realtime.access import Identity
from realtime.protocol import Refused
from realtime.secrecy import NOT_SAYABLE
from realtime.streams.commit import commit
from realtime.streams.retention import prune
from tests.realtime.past import older

pytestmark = pytest.mark.django_db
ALICE = Identity("user:1", "alice")
BOB = Identity("user:2", "bob")


@pytest.fixture
def cups(db: None) -> Counter:
    """A counter that stands at 0."""
    return Counter.objects.create(name="cups")


def stands(counter: Counter) -> tuple[int, int]:
    """Its value and version in the database."""
    row = Counter.objects.get(pk=counter.pk)
    return row.value, row.last_seq


def changes(counter: Counter, *deltas: int) -> list[Change]:
    """Changes to be committed together."""
    made = [Change.of(ALICE, delta, None) for delta in deltas]
    for change in made:
        change.stream = counter
    return made


# Adding.


def test_a_counter_s_title_holds_no_secret() -> None:
    with pytest.raises(ValidationError, match=NOT_SAYABLE):
        Counter(name="visits", title=new_secret()).full_clean()


def test_a_change_has_the_value_and_version_right_after_it(cups: Counter) -> None:
    changes = [cups.add(ALICE, delta) for delta in (5, -2, 1)]
    assert [(change.value, change.seq) for change in changes] == [(5, 1), (3, 2), (4, 3)]
    assert stands(cups) == (4, 3)


def test_a_repeat_gives_the_first_and_counts_once(cups: Counter) -> None:
    first = cups.add(ALICE, 5, "7")
    cups.add(BOB, 1)
    again = cups.add(ALICE, 5, "7")
    assert (again.value, again.seq, again.duplicate, first.duplicate) == (5, 1, True, False)
    assert stands(cups) == (6, 2)


def test_a_used_id_with_another_number_is_a_conflict(cups: Counter) -> None:
    cups.add(ALICE, 5, "7")
    with pytest.raises(Refused) as caught:
        cups.add(ALICE, 6, "7")
    assert caught.value.code == "id_conflict"
    assert stands(cups) == (5, 1)


def test_ids_are_each_sender_s_and_each_counter_s_own(cups: Counter) -> None:
    other = Counter.objects.create(name="other")
    assert not any(change.duplicate for change in (cups.add(ALICE, 1, "7"), cups.add(BOB, 2, "7")))
    assert not other.add(ALICE, 3, "7").duplicate
    assert (stands(cups), stands(other)) == ((3, 2), (3, 1))


@pytest.mark.parametrize("delta", [0, MAX_DELTA + 1, -MAX_DELTA - 1])
def test_what_is_no_change_is_refused(cups: Counter, delta: int) -> None:
    with pytest.raises(Refused) as caught:
        cups.add(ALICE, delta)
    assert (caught.value.code, list(caught.value.fields or ())) == ("invalid", ["delta"])
    assert stands(cups) == (0, 0)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_value_stays_below_what_every_client_counts_exactly(cups: Counter, sign: int) -> None:
    cups.set_to(ALICE, sign * (MAX_VALUE - 1), "nearly")
    assert cups.add(ALICE, sign).value == sign * MAX_VALUE
    with pytest.raises(Refused) as caught:
        cups.add(ALICE, sign)
    assert caught.value.code == "invalid"
    assert stands(cups) == (sign * MAX_VALUE, 2)


def test_one_change_out_of_bounds_fails_alone(cups: Counter) -> None:
    cups.set_to(ALICE, MAX_VALUE - 1, "nearly")
    outcome = commit(Counter, changes(cups, 2, 1, 1, -1))
    assert [isinstance(result, Change) for _, result in sorted(outcome.results.items())] == [False, True, False, True]
    assert stands(cups) == (MAX_VALUE - 1, 3)


def test_changes_that_commit_together_show_as_one_state(cups: Counter) -> None:
    [batch] = commit(Counter, changes(cups, 5, -2, 1)).batches
    assert (batch.first, batch.last) == (1, 3)
    assert [json.loads(shown.text) for shown in batch.events] == [{"type": "state", "value": 4, "version": 3}]


def test_a_change_that_is_rolled_back_never_was(cups: Counter) -> None:
    with transaction.atomic():
        cups.add(ALICE, 1, "7")
        transaction.set_rollback(True)
    assert stands(cups) == (0, 0)
    assert not cups.add(ALICE, 1, "7").duplicate


# What is kept.


def test_a_click_without_an_id_leaves_no_row(cups: Counter) -> None:
    cups.add(ALICE, 1)
    cups.add(ALICE, 1, "7")
    cups.set_to(ALICE, 9, "stock-taking")
    assert list(Change.objects.values_list("seq", "value")) == [(2, 2), (3, 9)]


def test_setting_keeps_who_and_why(cups: Counter) -> None:
    cups.add(BOB, 5)
    cups.set_to(ALICE, 2, "miscounted")
    change = Change.objects.get()
    assert (change.sender_name, change.delta, change.value, change.reason) == ("alice", -3, 2, "miscounted")
    assert stands(cups) == (2, 2)


def test_setting_it_to_what_it_is_is_a_version_too(cups: Counter) -> None:
    assert cups.set_to(ALICE, 0, "counted again").seq == 1


def test_a_form_that_was_open_meanwhile_rewinds_nothing(cups: Counter) -> None:
    form = Counter.objects.get(pk=cups.pk)
    cups.add(ALICE, 5)
    form.title = "Cups of coffee"
    form.save()
    assert stands(cups) == (5, 1)
    assert Counter.objects.get().title == "Cups of coffee"


# Its last hour.


def test_a_minute_has_the_last_value_in_it(cups: Counter) -> None:
    for _ in range(3):
        cups.add(ALICE, 2)
    assert len(Sample.objects.values("minute").distinct()) == Sample.objects.count() <= 2
    assert cups.last_hour()[-1][1] == 6


def test_the_last_hour_is_told_oldest_first(cups: Counter) -> None:
    minute = timezone.now().replace(second=0, microsecond=0)
    for ago in (5, 59, 62, 30):
        Sample.objects.create(counter=cups, minute=minute - timedelta(minutes=ago), value=ago)
    assert [value for _, value in cups.last_hour()] == [59, 30, 5]


# How long it is kept.


def test_the_id_of_a_click_is_known_for_24_hours(cups: Counter) -> None:
    for client_id in "ab":
        cups.add(ALICE, 1, client_id)
    older(cups, 1, days=1.01)
    older(cups, 2, days=0.99)
    prune(cups)
    assert not cups.add(ALICE, 1, "a").duplicate
    assert cups.add(ALICE, 1, "b").duplicate
    assert stands(cups) == (3, 3)


def test_who_set_it_and_why_stays_for_ever(cups: Counter) -> None:
    cups.set_to(ALICE, 9, "stock-taking")
    older(cups, days=1000)
    prune(cups)
    assert Change.objects.get().reason == "stock-taking"


def test_samples_are_kept_for_24_hours(cups: Counter) -> None:
    now = timezone.now()
    for hours in (23.9, 24.1, 1000):
        Sample.objects.create(counter=cups, minute=now - timedelta(hours=hours), value=int(hours))
    prune(cups)
    assert Sample.objects.get().value == 23


def test_changes_are_pruned_in_steps(cups: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "PRUNED_AT_ONCE", 2)
    for number in range(4):
        cups.add(ALICE, 1, str(number))
    older(cups, 1, 2, 3, days=1.01)
    assert [cups.prune_step(), Change.objects.count()] == [True, 2]
    assert [cups.prune_step(), Change.objects.count()] == [False, 1]


def test_pruning_changes_nothing_that_is_shown(cups: Counter) -> None:
    cups.add(ALICE, 5, "a")
    older(cups, days=1.01)
    prune(cups)
    assert stands(cups) == (5, 1)
    assert Counter.objects.get().epoch == cups.epoch


def test_pruning_leaves_other_counters_alone(cups: Counter) -> None:
    other = Counter.objects.create(name="other")
    other.add(ALICE, 1, "a")
    Sample.objects.update(minute=timezone.now() - timedelta(days=2))
    older(other, days=1.01)
    prune(cups)
    assert (Change.objects.count(), Sample.objects.count()) == (1, 1)


# As readers and pages see it.


def test_a_reader_needs_the_newest_state_only(cups: Counter) -> None:
    for _ in range(3):
        cups.add(ALICE, 1)
    found = [Counter.read(cups.pk, after) for after in (None, 0, 2, 3)]
    assert [[event.seq for event in snapshot.events] for snapshot in found if snapshot] == [[3], [3], [3], []]


def test_a_counter_that_is_gone_reads_as_none(cups: Counter) -> None:
    pk = cups.pk
    cups.delete()
    assert Counter.read(pk) is None


def test_a_counter_s_page_is_at_its_name(cups: Counter) -> None:
    assert cups.get_absolute_url() == "/counter/cups/"
    assert str(Change(delta=5)) == "+5"


def test_a_counter_stays_when_who_pressed_it_is_deleted(cups: Counter, alice: User) -> None:
    cups.add(Identity.of_user(alice), 5, "7")
    alice.delete()
    assert stands(cups) == (5, 1)
    assert Change.objects.get().sender_name == "alice"


@pytest.mark.django_db
@pytest.mark.parametrize("other", [False, True])
def test_the_counter_that_pages_lead_to_is_made_where_there_is_none_at_all(other: bool) -> None:
    if other:
        Counter.objects.create(name="other")
    import_module("counter.migrations.0003_default").make(apps, SimpleNamespace(connection=connection))
    assert [found.name for found in Counter.objects.all()] == ["other" if other else "default"]
