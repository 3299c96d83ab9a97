"""The switch *Private* on the forms of streams in admin. Rooms, counters and topics have it alike."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from chat.models import Room
from counter.models import Counter
from notifications.models import Topic
from realtime.access import AccessLevel
from realtime.access_form import is_private
from realtime.admin import StreamAdmin

pytestmark = pytest.mark.django_db
NOTHING = {"guest_access": "none", "member_access": "none"}
KINDS: tuple[Any, ...] = (Room, Counter, Topic)
each_kind = pytest.mark.parametrize("kind", KINDS)


def address(kind: Any, view: str, *args: object) -> str:
    return reverse(f"admin:{kind._meta.app_label}_{kind._meta.model_name}_{view}", args=args)


def form(**values: object) -> dict[str, object]:
    """What any of these forms sends."""
    inlines = {f"{name}-{which}_FORMS": 0 for name in ("sanctions", "changes") for which in ("TOTAL", "INITIAL")}
    levels = {"guest_access": "read", "member_access": "write", "keep_days": 30, "keep_entries": 10}
    return {"name": "club", "title": "", **inlines, **levels, **values}


def levels(stream: Any) -> tuple[str, str]:
    stream.refresh_from_db()
    return stream.guest_access, stream.member_access


@each_kind
def test_it_stands_above_the_lists_and_says_what_it_means(staff: Client, kind: Any) -> None:
    page = staff.get(address(kind, "add")).text
    places = [page.index(f'id="id_{name}"') for name in ("private", "readers", "reader_groups", "writers")]
    assert places == sorted(places)
    assert "Only the people and groups named below get in" in page


@each_kind
def test_what_is_made_with_it_is_for_the_named_alone(staff: Client, kind: Any, alice: User) -> None:
    assert staff.post(address(kind, "add"), form(private="on", readers=[alice.pk])).status_code == 302
    made = kind.objects.get(name="club")
    assert levels(made) == ("none", "none")
    assert [*made.readers.all()] == [alice]


@each_kind
def test_it_can_be_put_on_and_out_again(staff: Client, kind: Any) -> None:
    made = kind.objects.create(name="club")
    url = address(kind, "change", made.pk)
    assert not staff.get(url).context["adminform"].form["private"].value()
    staff.post(url, form(private="on"))
    assert levels(made) == ("none", "none")
    shown = staff.get(url).context["adminform"].form
    assert shown["private"].value()
    staff.post(url, form(**{name: shown[name].value() for name in NOTHING}))
    assert levels(made) == (AccessLevel.for_guests(), "write")


def test_put_out_it_leaves_what_is_chosen(staff: Client) -> None:
    club = Room.objects.create(name="club", **NOTHING)
    staff.post(address(Room, "change", club.pk), form(guest_access="none", member_access="read"))
    assert levels(club) == ("none", "read")


def test_what_new_ones_have_is_development_s_own_there(staff: Client, development: None) -> None:
    club = Room.objects.create(name="club", **NOTHING)
    shown = staff.get(address(Room, "change", club.pk)).context["adminform"].form
    assert [shown[name].value() for name in NOTHING] == ["write", "write"]


def test_nothing_for_both_is_the_same_as_the_switch(staff: Client) -> None:
    club = Room.objects.create(name="club")
    staff.post(address(Room, "change", club.pk), form(**NOTHING))
    assert is_private(Room.objects.get(pk=club.pk))
    assert staff.get(address(Room, "change", club.pk)).context["adminform"].form["private"].value()


def test_with_it_the_levels_need_not_be_sent(staff: Client) -> None:
    sent = form(private="on")
    del sent["guest_access"], sent["member_access"]
    assert staff.post(address(Room, "add"), sent).status_code == 302
    assert is_private(Room.objects.get(name="club"))


def test_a_private_room_stays_so_when_something_else_is_changed(staff: Client) -> None:
    club = Room.objects.create(name="club", **NOTHING)
    url = address(Room, "change", club.pk)
    shown = staff.get(url).context["adminform"].form
    sent = form(**{name: shown[name].value() for name in NOTHING}, private="on", title="The club")
    staff.post(url, sent)
    club.refresh_from_db()
    assert (club.title, is_private(club)) == ("The club", True)


def test_who_may_only_look_reads_it(helper: Callable[..., Client]) -> None:
    club = Counter.objects.create(name="club", **NOTHING)
    page = helper("view_counter").get(address(Counter, "change", club.pk)).text
    assert 'alt="True"' in page
    assert 'name="private"' not in page


def test_an_arrangement_of_fields_without_it_leaves_the_levels_alone(settings: Settings, root: User) -> None:
    class Own(StreamAdmin):
        fieldsets = ((None, {"fields": ("title", "guest_access", "member_access")}),)

    club, request = Room.objects.create(name="club", **NOTHING), HttpRequest()
    request.user = root
    made = Own(Room, admin.site).get_form(request, club, change=True)(instance=club)
    assert "private" not in made.fields
    assert made["guest_access"].value() == "none"
