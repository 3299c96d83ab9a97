"""Imports run one way: config → {chat, counter, notifications, accounts} → realtime, which names none of them."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = {"chat", "counter", "notifications", "accounts"}
MAY_IMPORT = {
    "realtime": set[str](),
    **{app: {"realtime"} for app in APPS},
    "config": {"realtime", *APPS},
    "examples": {"realtime", "config"},
}
"""What each package may import of ours, besides itself. `accounts` reaches the others through the ASGI scope only."""


def imported(source: str, package: tuple[str, ...]) -> set[str]:
    """The modules that a source text in this package imports, wherever in it: `{"realtime.db", …}`.

    Also those it imports by name (`import_module("…")`), and those that exist for type checkers only.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                found |= {alias.name for alias in node.names}
            case ast.ImportFrom(level=0, module=str(module)):
                found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
            case ast.ImportFrom(level=level, module=module):
                base = [*package[: len(package) - level + 1], *([module] if module else [])]
                found |= {".".join(base), *(".".join([*base, alias.name]) for alias in node.names)}
            case ast.Call(func=ast.Name(id="import_module" | "__import__"), args=[ast.Constant(str(name)), *_]):
                found.add(name)
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(str(name)), *_]):
                found.add(name)
    return found


def wrong_imports(root: Path) -> list[str]:
    """Each import against the direction, as `realtime/db.py imports chat`."""
    wrong: list[str] = []
    for package, allowed in MAY_IMPORT.items():
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).parent.parts
            ours = {name.partition(".")[0] for name in imported(path.read_text(), parts)} & MAY_IMPORT.keys()
            wrong += [f"{path.relative_to(root)} imports {name}" for name in sorted(ours - allowed - {package})]
    return wrong


def test_imports_run_one_way() -> None:
    assert wrong_imports(ROOT) == []


def test_nothing_imports_the_tests() -> None:
    sources = [path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py")]
    assert len(sources) > 50
    for path in sources:
        names = imported(path.read_text(), path.relative_to(ROOT).parent.parts)
        assert not [name for name in names if name.partition(".")[0] == "tests"], path


@pytest.mark.parametrize(
    ("file", "line", "found"),
    [
        ("realtime/db.py", "import chat.models", ["realtime/db.py imports chat"]),
        ("realtime/db.py", "from accounts import models", ["realtime/db.py imports accounts"]),
        ("realtime/a/b/c.py", "from config.settings import DEBUG", ["realtime/a/b/c.py imports config"]),
        ("chat/models.py", "from accounts.models import Token", ["chat/models.py imports accounts"]),
        ("chat/models.py", "import config", ["chat/models.py imports config"]),
        ("accounts/models.py", "import os, chat.models as messages", ["accounts/models.py imports chat"]),
        ("counter/models.py", "from notifications.models import Topic", ["counter/models.py imports notifications"]),
        ("chat/models.py", "def late():\n    from counter import models", ["chat/models.py imports counter"]),
        ("chat/models.py", "if TYPE_CHECKING:\n    import accounts", ["chat/models.py imports accounts"]),
        ("chat/models.py", "import_module('accounts.models')", ["chat/models.py imports accounts"]),
        ("chat/models.py", "importlib.import_module('accounts.models')", ["chat/models.py imports accounts"]),
        ("chat/models.py", "from .. import accounts", ["chat/models.py imports accounts"]),
        ("config/asgi.py", "import chat.routing, accounts.credentials, realtime.asgi", []),
        ("accounts/models.py", "from realtime import db", []),
        ("chat/models.py", "from chat import events\nfrom . import plain\nfrom .events import Send", []),
        ("chat/models.py", "from somewhere.accounts import Token\nimport chatter", []),
        ("chat/models.py", "'import accounts'  # from config import settings", []),
    ],
)
def test_a_wrong_import_is_found_and_a_right_one_is_not(file: str, line: str, found: list[str], tmp_path: Path) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert wrong_imports(tmp_path) == found


# What all share names no app, so that another project may take it without them.


def docstrings(tree: ast.AST) -> set[ast.Constant]:
    """Texts that stand alone: prose, which may give examples."""
    return {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def from_elsewhere(tree: ast.AST) -> set[str]:
    """Names that come from a package of somebody else's, such as `Counter` of `collections`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(level=0, module=str(module)) if module.partition(".")[0] not in MAY_IMPORT:
                found |= {alias.name for alias in node.names}
    return found


def named(source: str) -> list[str]:
    """The identifiers and texts in a source that name an app or something of an app's."""
    tree = ast.parse(source)
    prose, theirs = docstrings(tree), from_elsewhere(tree)
    values = [value for node in ast.walk(tree) if node not in prose for _, value in ast.iter_fields(node)]
    texts = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return [
        text
        for text in texts
        if isinstance(text, str) and text not in theirs and OF_AN_APP & {word.lower() for word in WORD.findall(text)}
    ]


OF_AN_APP = {*APPS, "counters", "notification", "topic", "topics", "room", "rooms", "lobby"}
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
"""A word of an identifier, however that is written: `max_topics`, `RoomAdmin`, `CHAT`."""


def test_the_code_of_realtime_names_no_app() -> None:
    sources = sorted((ROOT / "realtime").rglob("*.py"))
    assert len(sources) > 60
    found = {str(path.relative_to(ROOT)): named(path.read_text()) for path in sources}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("max_topics = 128", ["max_topics"]),
        ("class RoomAdmin: ...", ["RoomAdmin"]),
        ("def open_chat(room, *, topic=None): ...", ["open_chat", "room", "topic"]),
        ("stream.notification.save(room=1)", ["notification", "room"]),
        ('allowed = ["Priority", "for rooms"]', ["for rooms"]),
        ('label = f"accounts.{name}"', ["accounts."]),
        ("from counter.models import Counter", ["counter.models", "Counter"]),
        ("def forget() -> None:\n    global CHAT", ["CHAT"]),
        ('"""A room, say."""\ndef f():\n    """chat.room:5"""\n    x: int = 1\n    """Of topics."""', []),
        ("from collections import Counter\ncounted: Counter[str] = Counter()", []),
        ("make_roomy = encounter(chatter)  # a room", []),
    ],
)
def test_what_names_an_app_is_found_and_prose_is_not(line: str, found: list[str]) -> None:
    assert sorted(named(line)) == sorted(found)


def test_the_scripts_styles_and_templates_of_realtime_name_no_app() -> None:
    words = re.compile(r"\b(accounts|chat|counters?|lobby|notifications?|rooms?)\b", re.IGNORECASE)
    shared = ROOT / "realtime"
    files = [path for kind in ("static", "templates") for path in (shared / kind).rglob("*") if path.is_file()]
    assert len(files) > 40
    assert {path.name: found for path in files if (found := words.findall(path.read_text()))} == {}
