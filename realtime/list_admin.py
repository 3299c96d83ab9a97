"""What every list of ours in admin has: all its columns at once, a way to take it along as CSV, a bounded question."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, ClassVar, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse

from realtime.csv_export import columns_of, csv_response, rows_of
from realtime.names import normal

T = TypeVar("T")

SHOWN = 100
"""Lines of what is to be deleted, in the question before it is; the rest is counted."""
STEP = 200
"""Rows that one transaction acts on: what others write waits no longer than for that many."""
MOST_CHOSEN = 10_000
"""Rows that are acted on at once; see realtime.big_forms for the form that names them."""


class ListAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # only the stubs take one
    """A list: base of the admin classes of this site, beside Django's own for users and groups too."""

    change_list_template = "admin/realtime/change_list.html"

    class Media:
        css: ClassVar[Any] = {"all": ["realtime/admin/page.css"]}

    def get_urls(self) -> list[URLPattern]:
        """With the list as CSV."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export_view), name=name), *super().get_urls()]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Filter by what one sees: a digest, or a guest's key, would be found out letter by letter."""
        try:
            field = self.opts.get_field(lookup.partition("__")[0])
        except FieldDoesNotExist:
            return super().lookup_allowed(lookup, value, request)
        filters = [each[0] if isinstance(each, (list, tuple)) else each for each in self.get_list_filter(request)]
        shown = {*self.get_list_display(request), *filters, *flatten_fieldsets(self.get_fieldsets(request))}
        is_shown = field.name in {*shown, self.date_hierarchy} or field is self.opts.pk
        return is_shown and super().lookup_allowed(lookup, value, request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to its CSV: of what is chosen by filters and search now."""
        url = reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_export")
        query = request.GET.urlencode()
        more = {"export_url": f"{url}?{query}" if query else url}
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def export_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """All rows of the list that the same address would show, for who may see it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            queryset = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            url = reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist")
            return HttpResponseRedirect(url)
        columns = columns_of(self, request)
        name = "-".join(str(self.opts.verbose_name_plural).split())
        return csv_response(request, name, [column.label for column in columns], rows_of(queryset, columns, self))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """What is found by the words as typed or, where that is another, in the form that names are kept in."""
        found, several = super().get_search_results(request, queryset, search_term)
        if (term := normal(search_term)) != search_term:
            also, too = super().get_search_results(request, queryset, term)
            found, several = found | also, several or too
        return found, several

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *more: Any) -> HttpResponse | None:
        """Act on what is chosen, unless that is more than one request can do."""
        across = request.POST.get("select_across") == "1"
        count = queryset.count() if across else len(request.POST.getlist(ACTION_CHECKBOX_NAME))
        if count > MOST_CHOSEN:
            said = f"At most {MOST_CHOSEN:,} at once, and these are {count:,}. Narrow the list with a filter first."
            self.message_user(request, said, messages.ERROR)
            return None
        return super().response_action(request, queryset, *more)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with it, of which the question shows the first lines only."""
        lines, counts, needed, protected = super().get_deleted_objects(objs, request)
        return first_lines(lines), counts, needed, first_lines(protected)


def in_steps(rows: Iterable[T]) -> Iterator[list[T]]:
    """Many rows, STEP at a time."""
    left = iter(rows)
    while some := list(islice(left, STEP)):
        yield some


def first_lines(nested: Iterable[Any], most: int = SHOWN) -> list[Any]:
    """The first lines of a nested list as `unordered_list` takes it, and how many more there are."""
    left = most

    def taken(lines: Iterable[Any]) -> list[Any]:
        nonlocal left
        found: list[Any] = []
        for line in lines:
            if isinstance(line, (list, tuple)):
                if inner := taken(line):
                    found.append(inner)
                continue
            left -= 1
            if left >= 0:
                found.append(line)
        return found

    shown = taken(nested)
    return shown if left >= 0 else [*shown, f"… and {-left} more"]
