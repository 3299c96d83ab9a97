"""Forms of more fields than Django takes, which staff send in admin."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from chat.models import Room
from realtime import big_forms

NUMBER = 1050
FORM = "application/x-www-form-urlencoded"


def form(lobby: Room, **more: object) -> dict[str, object]:
    """The form of a room, in which that many people may read."""
    User.objects.bulk_create(User(username=f"member{number}") for number in range(NUMBER))
    values = {"guest_access": "none", "member_access": "none", "keep_days": 1, "keep_entries": 1}
    readers = User.objects.filter(username__startswith="member").values_list("pk", flat=True)
    sanctions = {f"sanctions-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL")}
    return {**values, **sanctions, "title": "Löbby & co", "readers": [*readers], **more}


@pytest.mark.parametrize("as_multipart", [False, True])
def test_a_room_has_a_thousand_readers(staff: Client, lobby: Room, *, as_multipart: bool) -> None:
    values, url = form(lobby), reverse("admin:chat_room_change", args=[lobby.pk])
    answer = staff.post(url, values) if as_multipart else staff.post(url, urlencode(values, doseq=True), FORM)
    assert answer.status_code == 302
    lobby.refresh_from_db()
    assert (lobby.readers.count(), lobby.title) == (NUMBER, "Löbby & co")


def test_the_token_against_forged_forms_is_asked_for_all_the_same(root: User, lobby: Room) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(root)
    url, values = reverse("admin:chat_room_change", args=[lobby.pk]), form(lobby)
    assert browser.post(url, urlencode(values, doseq=True), FORM).status_code == 403
    browser.get(url)
    values["csrfmiddlewaretoken"] = browser.cookies["csrftoken"].value
    assert browser.post(url, urlencode(values, doseq=True), FORM).status_code == 302


def test_others_may_send_no_more_than_before(client: Client, alice: User, staff: Client) -> None:
    fields = urlencode({"q": ["x"] * NUMBER}, doseq=True)
    assert client.post(reverse("admin:login"), fields, FORM).status_code == 400  # a guest
    client.force_login(alice)
    assert client.post(reverse("admin:login"), fields, FORM).status_code == 400
    assert staff.post(reverse("login"), fields, FORM).status_code == 400  # not in admin


def test_staff_need_the_permission_as_ever(helper: Callable[..., Client], lobby: Room) -> None:
    fields = urlencode(form(lobby), doseq=True)
    assert helper("view_room").post(reverse("admin:chat_room_change", args=[lobby.pk]), fields, FORM).status_code == 403


def test_their_fields_have_a_bound_too(staff: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(big_forms, "MOST_FIELDS", 1500)
    url, name = reverse("admin:auth_group_add"), {"name": "night watch"}
    assert staff.post(url, {**name, "more": ["x"] * 1499}).status_code == 302
    assert staff.post(url, {**name, "more": ["x"] * 1500}).status_code == 400
    assert Group.objects.filter(**name).count() == 1


def test_more_bytes_than_django_keeps_in_memory_are_refused(staff: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 5000
    url = reverse("admin:auth_group_add")
    assert staff.post(url, urlencode({"more": ["x"] * NUMBER}, doseq=True), FORM).status_code == 400
