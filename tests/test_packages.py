"""Inside `realtime` imports run downwards, from faces to ground; and no modules import one another in a circle."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.test_imports import MAY_IMPORT, ROOT, imported

FACES = {
    "access_form",
    "asgi",
    "audit_admin",
    "big_forms",
    "bodies",
    "visits",
    "cookies",
    "admin",
    "admin_log",
    "connections_admin",
    "connections_csv",
    "csv_export",
    "form_admin",
    "list_admin",
    "newest_formset",
    "views",
    "urls",
    "forms",
    "apps",
    "testing",
}
ORDER = ("ground", "server", "processes", "streams", "connections", "hub", "consumers", "http", "faces")
"""From below to above. What is not a package is ground, or a face; Django's own folders are faces."""


def place_of(module: str) -> str:
    """Where a module of `realtime` stands: `realtime.hub.live` in `hub`, `realtime.db` in `ground`."""
    _, _, rest = module.partition(".")
    first, _, inner = rest.partition(".")
    if first in ORDER:
        return first
    return "faces" if first in FACES or inner else "ground"


def modules(root: Path, package: str) -> dict[str, Path]:
    """The modules of a package by their names, without migrations."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        if "migrations" not in path.parts:
            found[name] = path
    return found


def imports_of(root: Path, known: Mapping[str, Path]) -> dict[str, set[str]]:
    """Which of the known modules each of them imports, anywhere in it, for typing too."""
    found: dict[str, set[str]] = {}
    for name, path in known.items():
        names = imported(path.read_text(), path.relative_to(root).parent.parts)
        # `from package import module` names both; where the module is meant, its package is not.
        inner = {each for each in names if each in known and known[each].name != "__init__.py"}
        packages = {
            each
            for each in names
            if each in known and known[each].name == "__init__.py" and not any(i.startswith(f"{each}.") for i in inner)
        }
        found[name] = (inner | packages) - {name}
    return found


def upward(root: Path) -> list[str]:
    """Each import inside `realtime` against the order, as `realtime.streams.stream imports realtime.hub.hub`."""
    found = imports_of(root, modules(root, "realtime"))
    return [
        f"{module} imports {other}"
        for module, others in found.items()
        for other in sorted(others)
        if ORDER.index(place_of(other)) > ORDER.index(place_of(module))
    ]


def circle(root: Path) -> list[str]:
    """Modules that import one another in a circle, if any do."""
    known = {name: path for package in MAY_IMPORT for name, path in modules(root, package).items()}
    try:
        TopologicalSorter(imports_of(root, known)).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


UPWARD = "realtime.streams.stream imports realtime.hub.hub"


def test_inside_realtime_imports_run_downwards() -> None:
    assert upward(ROOT) == []


def test_no_modules_import_one_another_in_a_circle() -> None:
    assert circle(ROOT) == []


def test_realtime_stands_in_seven_packages() -> None:
    packages = {path.parent.name for path in (ROOT / "realtime").glob("*/__init__.py")}
    assert packages - {"management", "migrations", "templatetags"} == set(ORDER) - {"ground", "faces"}


@pytest.mark.parametrize("package", [place for place in ORDER if place not in {"ground", "faces"}])
def test_a_package_says_what_it_is_for(package: str) -> None:
    text = (ROOT / "realtime" / package / "__init__.py").read_text()
    assert text.startswith('"""')
    assert "__all__ = [" in text


def test_no_module_of_realtime_is_long() -> None:
    lines = {name: len(path.read_text().splitlines()) for name, path in modules(ROOT, "realtime").items()}
    assert {name: count for name, count in lines.items() if count > 250} == {}


@pytest.mark.parametrize(
    ("file", "line", "wrong"),
    [
        ("streams/stream.py", "from realtime.hub.hub import Hub", [UPWARD]),
        ("streams/stream.py", "from realtime.hub import hub", [UPWARD]),
        ("streams/stream.py", "def late():\n    import realtime.hub.hub", [UPWARD]),
        ("streams/stream.py", "if TYPE_CHECKING:\n    from ..hub.hub import Hub", [UPWARD]),
        ("db.py", "import realtime.streams.stream", ["realtime.db imports realtime.streams.stream"]),
        ("hub/hub.py", "from realtime import views", ["realtime.hub.hub imports realtime.views"]),
        ("hub/hub.py", "from realtime import db\nfrom realtime.streams import stream", []),
        ("views.py", "from realtime.hub.hub import Hub", []),
        ("management/commands/serve.py", "from realtime.hub.hub import Hub", []),
    ],
)
def test_an_upward_import_is_found_and_a_downward_one_is_not(
    file: str, line: str, wrong: list[str], tmp_path: Path
) -> None:
    for each in ("db.py", "views.py", "streams/stream.py", "hub/hub.py", file):
        path = tmp_path / "realtime" / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(line if each == file else "")
    assert upward(tmp_path) == wrong


def test_a_circle_is_found(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        path = tmp_path / "chat" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"def late():\n    from chat.{other} import something")
    assert set(circle(tmp_path)) == {"chat.a", "chat.b", "chat.c"}
