"""The counter's page. Clicks go over its socket."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from counter.consumers import DEFAULT
from counter.models import Counter
from realtime.forms import NameForm
from realtime.views import name_form, stream_page, visitor_of


@require_safe
def default(request: HttpRequest) -> HttpResponse:
    """The counter `default`, at the shortest address; `?name=` leads to another."""
    form = name_form(request)
    if form.is_valid():
        return redirect("counter:counter", form.cleaned_data["name"])
    return page(request, DEFAULT, form)


@require_safe
def counter(request: HttpRequest, name: str) -> HttpResponse:
    """A named counter. In development its first socket makes it; else what is not there is 404."""
    if name.lower() == DEFAULT:
        return redirect("counter:default")
    return page(request, name, NameForm())


def page(request: HttpRequest, name: str, form: NameForm) -> HttpResponse:
    """The page of one counter."""

    def more(found: Counter) -> dict[str, Any]:
        return {
            "heading": found.title or ("Counter" if name == DEFAULT else name),
            "line": line_of(found),
            "counters": Counter.objects.readable_by(visitor_of(request)),
            "form": form,
        }

    route = "/ws/counter/" if name == DEFAULT else "/ws/counter/{}/"
    return stream_page(request, Counter, name, "counter/counter.html", route=route, more=more)


def line_of(counter: Counter) -> dict[str, Any]:
    """Where a counter stood over the last hour: `points` of [seconds since 1970, value], the first where it was then.

    `now` is this server's clock, so that a browser whose clock is wrong draws the line where it belongs.
    """
    now = timezone.now()
    points: list[tuple[datetime, int]] = [(now, 0)]
    if counter.pk is not None:
        points = counter.last_hour()
        samples = counter.samples.order_by("-minute").values_list("minute", "value")
        earlier = samples.filter(minute__lt=points[0][0] if points else now - timedelta(hours=1)).first()
        # Before its first change it stood at 0; without a single sample it was never changed, or long ago.
        points.insert(0, earlier or (counter.created_at, 0 if points else counter.value))
    return {"now": now.timestamp(), "points": [(at.timestamp(), value) for at, value in points]}
