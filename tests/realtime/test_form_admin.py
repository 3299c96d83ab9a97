"""Where admin's short forms lead, what they note and what they are drawn with; a room is what they are about."""

from collections.abc import Callable

import pytest
from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from chat.models import Room
from realtime.form_admin import done, form_page, way_back

pytestmark = pytest.mark.django_db
CONNECTIONS = "admin:realtime_connection_changelist"


class Question(forms.Form):
    """What is asked."""

    why = forms.CharField(help_text="In a few words.")


@pytest.fixture
def request_of(rf: RequestFactory) -> Callable[[User], HttpRequest]:
    """A request of a user's, who has been told nothing yet."""

    def made(user: User) -> HttpRequest:
        request: HttpRequest = rf.get("/")
        request.user = user
        request.session = {}  # type: ignore[assignment]  # a session that is not stored
        MessageMiddleware(lambda _: HttpResponse()).process_request(request)
        return request

    return made


def test_the_way_back_is_a_page_that_one_may_see(
    request_of: Callable[[User], HttpRequest], alice: User, root: User
) -> None:
    assert way_back(request_of(root), "admin:index") == reverse(CONNECTIONS)
    assert way_back(request_of(alice), "admin:index") == reverse("admin:index")


def test_what_is_done_is_noted_and_told(request_of: Callable[[User], HttpRequest], root: User, lobby: Room) -> None:
    request = request_of(root)
    answer = done(admin.site.get_model_admin(Room), request, lobby, "Painted it", "It is blue now.", "/back/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/back/")
    assert [str(message) for message in get_messages(request)] == ["It is blue now."]
    entry = LogEntry.objects.get()
    assert (entry.user, entry.get_edited_object(), entry.change_message) == (root, lobby, "Painted it")


def test_a_page_has_its_title_its_form_and_the_way_back(
    request_of: Callable[[User], HttpRequest], root: User, lobby: Room
) -> None:
    page = form_page(
        admin.site.get_model_admin(Room),
        request_of(root),
        Question({"why": ""}),
        "admin/realtime/form.html",
        title="Paint it",
        back="/back/",
    )
    text = page.render().text  # type: ignore[attr-defined]  # it is a TemplateResponse
    assert "<h1>Paint it</h1>" in text
    assert 'href="/back/"' in text
    assert "app-chat model-room change-form" in text
    assert all(part in text for part in ("This field is required.", "In a few words.", "Why:"))
