"""The documentation in docs/, as pages of this site: as it is written, so that it fits the version that runs."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

DOCS = Path(__file__).parent.parent / "docs"


class Doc(NamedTuple):
    """A page: its name in the address, its heading, what it is for, its text."""

    name: str
    title: str
    about: str
    text: str


@cache
def docs() -> dict[str, Doc]:
    """The pages that docs/README.md lists, by name and in its order; none where a site was set up without them."""
    try:
        listed = re.findall(r"^\| \[(\w+)\.md\]\(\1\.md\) \| (.+) \|$", (DOCS / "README.md").read_text(), re.MULTILINE)
        return {name: _read(name, about) for name, about in listed}
    except FileNotFoundError:
        return {}


def _read(name: str, about: str) -> Doc:
    title, _, text = (DOCS / f"{name}.md").read_text().partition("\n")
    return Doc(name, title.removeprefix("# "), about.replace("`", ""), text.strip())


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All pages, each with what it is for, and the reference of the HTTP API."""
    return render(request, "config/docs.html", {"docs": docs().values()})


@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    """One page; 404 for what is none."""
    found = docs().get(name)
    if found is None:
        raise Http404("there is no such page")
    return render(request, "config/doc.html", {"doc": found})
