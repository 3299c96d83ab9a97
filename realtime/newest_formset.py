"""A list on the page of what it belongs to, which may have grown long: the first rows of it, and how many there are."""

from typing import Any

from django.forms.models import BaseInlineFormSet

SHOWN = 50
"""Rows that such a page shows."""


class NewestFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # only the stubs take one
    """The first rows in the order of an inline, whose `template` is `admin/realtime/newest.html`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found: Any = self.queryset
        self.total: int = found.count()
        """How many there are."""
        if self.is_bound:  # what it showed when it was opened, whatever came since
            names = [f"{self.add_prefix(number)}-id" for number in range(min(self.initial_form_count(), SHOWN))]
            sent = [str(self.data.get(name, "")) for name in names]
            pks = [int(each) for each in sent if each.isdecimal() and len(each) < 19]
        else:
            pks = list(found.values_list("pk", flat=True)[:SHOWN])
        self.queryset = found.filter(pk__in=pks)

    @property
    def is_cut(self) -> bool:
        """Whether there are more."""
        return self.total > SHOWN

    @property
    def list_url(self) -> str:
        """Where all of them are; empty where there is no such place."""
        return ""
