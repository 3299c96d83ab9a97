"""The page of notifications. What is told there goes over its socket."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from notifications.consumers import acknowledged
from notifications.draft import MAX_TITLE
from notifications.models import ME, SYSTEM, Topic
from realtime.conf import conf
from realtime.streams import validate_name
from realtime.views import here, may, may_make_here, missing_page, readable_or_404, socket_origin, terminal, visitor_of


@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    """The topics this visitor may read, what comes, and a form to publish; `?topic=` opens one of them."""
    chosen = request.GET.get("topic", "").lower()
    if chosen == ME and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if chosen not in {"", ME, SYSTEM}:
        try:
            readable_or_404(request, Topic, chosen)
        except Http404:
            return missing_page(request, Topic, chosen)
    topics = topics_of(request)
    makes, notifies = may_make_here(request, Topic), request.user.has_perm("notifications.publish_to_people")
    context = {
        "chosen": chosen,
        "topics": topics,
        "name_rule": validate_name.message,
        "may_make": makes,
        "may_notify": notifies,
        "may_publish": makes or notifies or any(topic["writable"] for topic in topics),
        "max_text": conf.max_text,
        "max_title": MAX_TITLE,
        "origin": socket_origin(request),
        "route": here("/ws/notifications/"),
        "api": f"{request.scheme}://{request.get_host()}{here('/api')}",
        "terminal": terminal(),
    }
    return render(request, "notifications/notifications.html", context)


def topics_of(request: HttpRequest) -> list[dict[str, Any]]:
    """What the page knows of each topic its visitor may read: where it stands, how far they have seen it."""
    visitor, seen = visitor_of(request), {}
    found = list(Topic.objects.readable_by(visitor_of(request)).exclude(name=SYSTEM))
    if request.user.is_authenticated:
        own = Topic.objects.filter(owner=request.user).first()
        found.insert(0, own or Topic(owner=request.user))
        seen = acknowledged(request.user.pk, [topic.pk for topic in found if topic.pk])
    return [
        {
            "name": topic.public_name,
            "title": topic.title,
            "description": "What is meant for you alone." if topic.public_name == ME else topic.description,
            "seq": topic.last_seq,
            "epoch": topic.epoch,
            "acked": cursor.seq if (cursor := seen.get(topic.pk)) and cursor.epoch == topic.epoch else 0,
            "writable": may(visitor, "write", topic),
        }
        for topic in found
    ]
