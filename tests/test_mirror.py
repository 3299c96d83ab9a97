"""Every module that does something has tests of its own, and `make test-of` finds them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import mirror
from tests.mirror import ROOT, Unmirrored


@pytest.mark.parametrize("module", [str(path) for path in mirror.modules()])
def test_a_module_has_its_mirror(module: str) -> None:
    expected = mirror.mirror(Path(module))
    assert (ROOT / expected).exists(), f"the tests of {module} belong into {expected}"


def test_modules_are_found() -> None:
    found = {str(path) for path in mirror.modules()}
    assert {"chat/models.py", "realtime/templatetags/activity.py", "config/management/commands/up.py"} <= found
    assert not {"chat/__init__.py", "chat/urls.py", "chat/migrations/0001_initial.py"} & found


@pytest.mark.parametrize(
    ("module", "tests"),
    [
        ("chat/models.py", "tests/chat/test_models.py"),
        ("realtime/hub/live.py", "tests/realtime/hub/test_live.py"),
        ("realtime/templatetags/activity.py", "tests/realtime/templatetags/test_activity.py"),
        ("config/management/commands/up.py", "tests/config/test_up_command.py"),
    ],
)
def test_a_mirror_stands_where_its_module_does(module: str, tests: str) -> None:
    assert mirror.mirror(Path(module)) == Path(tests)


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("LEVELS = ('none', 'read')\nurlpatterns = [path('', home)]", False),
        ("class Config(AppConfig):\n    name = 'chat'", False),
        ("class Config(AppConfig):\n    def ready(self): watch()", True),
        ("async def watch(): ...", True),
        ("double = lambda number: 2 * number", True),
    ],
)
def test_what_defines_a_function_needs_one(source: str, needed: bool) -> None:
    assert mirror.needs_mirror(source) is needed


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a module and its tests, one that lacks them, and what has none."""
    for name in ("chat/models.py", "chat/views.py", "chat/urls.py", "chat/static/chat/room.js", "tests/chat/ask.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if name == "chat/urls.py" else "def do(): ...")
    (tmp_path / "chat/routing.py").touch()
    for name in ("models", "routing"):
        (tmp_path / f"tests/chat/test_{name}.py").touch()
    return tmp_path


@pytest.mark.parametrize("name", ["chat/models.py", "./chat/models.py", "tests/chat/test_models.py"])
def test_the_tests_of_a_file_are_found(project: Path, name: str) -> None:
    assert mirror.find(name, project) == mirror.find(str(project / name), project) == Path("tests/chat/test_models.py")


def test_declarations_may_have_tests_too(project: Path) -> None:
    assert mirror.find("chat/routing.py", project) == Path("tests/chat/test_routing.py")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "Of which file? make test-of FILE=chat/models.py"),
        ("chat/none.py", "There is no file chat/none.py."),
        ("chat", "There is no file chat."),
        ("chat/views.py", "chat/views.py has no tests yet; they belong into tests/chat/test_views.py."),
        ("chat/urls.py", "chat/urls.py defines no function, so it has no tests of its own."),
        (
            "chat/static/chat/room.js",
            'chat/static/chat/room.js has no tests of its own; the browser\'s may: make test ARGS="tests/browser"',
        ),
        ("tests/chat/ask.py", "tests/chat/ask.py is no module of realtime, accounts,"),
    ],
)
def test_where_there_are_none_a_line_says_why(project: Path, name: str, why: str) -> None:
    with pytest.raises(Unmirrored) as refusal:
        mirror.find(name, project)
    assert str(refusal.value).startswith(why)


def test_the_command_prints_them_or_ends_with_the_line() -> None:
    def said(*arguments: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "tests.mirror", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    assert said("chat/models.py") == (0, "tests/chat/test_models.py\n", "")
    assert said("chat/none.py") == (1, "", "There is no file chat/none.py.\n")
