"""docs/architecture.md names what there is, and all of it."""

import re

import pytest

from tests.test_imports import ROOT
from tests.test_packages import modules, place_of

PAGE = (ROOT / "docs/architecture.md").read_text()
TABLE = PAGE[PAGE.index("| package | module |") : PAGE.index("Its scripts are plain ES modules")]


def named_in_table() -> dict[str, set[str]]:
    """The modules that the table names, by package."""
    found: dict[str, set[str]] = {}
    package = ""
    for line in TABLE.splitlines()[2:]:
        if line.startswith("|"):
            first, second = (cell.strip() for cell in line.split("|")[1:3])
            package = first.strip("`/") or package
            found.setdefault(package, set()).update(re.findall(r"`(\w+)`", second))
    return found


def test_the_table_has_every_module_and_no_other() -> None:
    standing: dict[str, set[str]] = {}
    for name, path in modules(ROOT, "realtime").items():
        if path.name != "__init__.py" and (place := place_of(name)) != "faces":
            standing.setdefault(place, set()).add(path.stem)
    assert named_in_table() == standing


@pytest.mark.parametrize(
    "page", ["docs/architecture.md", "docs/README.md", "CONTRIBUTING.md", "docs/performance.md", "docs/guarantees.md"]
)
def test_what_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text()
    roots = "config|accounts|chat|counter|notifications|realtime|tests|benchmarks|examples|docs"
    paths = set(re.findall(rf"`((?:{roots})/[\w./-]+)", text))
    paths |= {f"{page.rpartition('/')[0]}/{link}".lstrip("/") for link in re.findall(r"\]\(([\w./-]+)[#)]", text)}
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
