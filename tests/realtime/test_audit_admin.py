"""Who did what in admin, of everyone."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from chat.models import Room
from realtime.access import Identity

pytestmark = pytest.mark.django_db
LIST = reverse("admin:admin_logentry_changelist")
OPS = Identity("user:99", "ops")


@pytest.fixture
def acts(staff: Client, helper: Callable[..., Client], lobby: Room) -> LogEntry:
    """Root deleted a message, then Alice made a counter: this is what was noted of Root."""
    said = lobby.post(OPS, "my card is 4111 1111")
    staff.post(reverse("admin:chat_message_delete", args=[said.pk]), {"post": "yes"})
    values = {"name": "clicks", "guest_access": "read", "member_access": "write"}
    inline = {"change_set-TOTAL_FORMS": 0, "change_set-INITIAL_FORMS": 0}
    inline |= {"changes-TOTAL_FORMS": 0, "changes-INITIAL_FORMS": 0}
    helper("add_counter").post(reverse("admin:counter_counter_add"), {**values, **inline})
    noted: LogEntry = LogEntry.objects.get(user__username="root")
    return noted


def test_it_tells_of_everyone(staff: Client, acts: LogEntry) -> None:
    page = staff.get(LIST).text
    for text in ("root", "deleted", "message 1 in lobby", "alice", "added", "clicks"):
        assert text in page
    assert "Audit log" in page
    assert "4111" not in page


def test_it_is_for_who_may_view_the_log(helper: Callable[..., Client], acts: LogEntry) -> None:
    export = reverse("admin:admin_logentry_export")
    for url in (LIST, export):
        assert helper("view_user", "moderate_room").get(url).status_code == 403
        assert helper("view_logentry").get(url).status_code == 200
    assert LIST in helper("view_logentry").get(reverse("admin:index")).text
    assert LIST not in helper("view_user").get(reverse("admin:index")).text


@pytest.mark.parametrize(
    "query", ["action_flag__exact=3", "content_type__id__exact={kind}", "user__id__exact={root}", "q=lobby", "q=root"]
)
def test_it_can_be_filtered(staff: Client, acts: LogEntry, query: str) -> None:
    chosen = query.format(kind=acts.content_type_id, root=acts.user_id)
    answer = staff.get(f"{LIST}?{chosen}")
    assert [*answer.context["cl"].queryset] == [acts]
    export = staff.get(f"{reverse('admin:admin_logentry_export')}?{chosen}")
    lines = b"".join(export.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "when,who,did what,of what kind,to what,details"
    assert [line.split(",", 1)[1] for line in lines[1:]] == ["root,deleted,message,message 1 in lobby,"]


def test_a_day_can_be_chosen(staff: Client, acts: LogEntry) -> None:
    assert len(staff.get(f"{LIST}?action_time__year={acts.action_time.year}").context["cl"].queryset) == 2
    assert not staff.get(f"{LIST}?action_time__year=2001").context["cl"].queryset


def test_nobody_changes_it(staff: Client, acts: LogEntry) -> None:
    for view in ("change", "delete"):
        url = reverse(f"admin:admin_logentry_{view}", args=[acts.pk])
        assert staff.post(url, {"post": "yes", "object_repr": "x"}).status_code == 403
    assert staff.get(reverse("admin:admin_logentry_add")).status_code == 403
    staff.post(LIST, {"action": "delete_selected", "_selected_action": [acts.pk], "post": "yes"})
    acts.refresh_from_db()
    assert acts.object_repr == "message 1 in lobby"


def test_what_somebody_did_goes_with_them_and_only_by_who_may(staff: Client, acts: LogEntry, bob: User) -> None:
    LogEntry.objects.update(user=bob)
    url = reverse("admin:auth_user_delete", args=[bob.pk])
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "delete_user", "delete_token"]))
    browser = Client()
    browser.force_login(clerk)
    page = browser.get(url).text
    assert "log entry" in page
    assert "make them inactive instead" in page
    assert browser.post(url, {"post": "yes"}).status_code == 403
    assert "what they did in admin leaves the audit log" in staff.get(url).text
    staff.post(url, {"post": "yes"})
    assert not LogEntry.objects.filter(user=bob.pk).exists()


def test_what_is_there_still_can_be_opened(staff: Client, acts: LogEntry, lobby: Room) -> None:
    page = staff.get(LIST).text
    assert 'href="/admin/counter/counter/' in page
    assert f'href="/admin/chat/message/{acts.object_id}/change/"' not in page
