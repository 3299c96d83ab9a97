"""Which tests are about which module.

    python -m tests.mirror chat/models.py    prints tests/chat/test_models.py

`a/b/c.py` is mirrored by `tests/a/b/test_c.py`, and the management command `app/management/commands/x.py` by
`tests/app/test_x_command.py`. A module has a mirror if it defines a function. One that holds nothing but
declarations (addresses, migrations) may have one too.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("realtime", "accounts", "chat", "counter", "notifications", "config")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Unmirrored(Exception):
    """There are no tests to run for a file; the message says why, and what to run instead if there is something."""


def mirror(module: Path) -> Path:
    """Where the tests of a module are, both relative to the project."""
    folder = module.parent
    if folder.parts[1:] == ("management", "commands"):
        return Path("tests", folder.parts[0], f"test_{module.stem}_command.py")
    return Path("tests", folder, f"test_{module.stem}.py")


def needs_mirror(source: str) -> bool:
    """Tell whether the text of a module has to have tests of its own: it does something."""
    return any(isinstance(node, FUNCTIONS) for node in ast.walk(ast.parse(source)))


def modules(root: Path = ROOT) -> Iterator[Path]:
    """The modules that need a mirror, relative to the project."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            inner = path.relative_to(root)
            if path.name != "__init__.py" and "migrations" not in inner.parts and needs_mirror(path.read_text()):
                yield inner


def find(name: str, root: Path = ROOT) -> Path:
    """The tests of the file of that name, relative to the project; raises Unmirrored."""
    path = (root / name).resolve()
    if not name or not path.is_file():
        raise Unmirrored(f"There is no file {name}." if name else "Of which file? make test-of FILE=chat/models.py")
    inner = path.relative_to(root) if path.is_relative_to(root) else path
    if inner.parts[0] == "tests" and inner.match("test_*.py"):
        return inner
    if inner.parts[0] in PACKAGES and {"static", "templates"} & {*inner.parts}:
        raise Unmirrored(f'{inner} has no tests of its own; the browser\'s may: make test ARGS="tests/browser"')
    if inner.parts[0] not in PACKAGES or inner.suffix != ".py":
        raise Unmirrored(f"{inner} is no module of {', '.join(PACKAGES)}; nothing mirrors it.")
    found = mirror(inner)
    if (root / found).exists():
        return found
    if needs_mirror(path.read_text()):
        raise Unmirrored(f"{inner} has no tests yet; they belong into {found}.")
    raise Unmirrored(f"{inner} defines no function, so it has no tests of its own.")


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{find(''.join(sys.argv[1:]))}\n")
    except Unmirrored as reason:
        sys.exit(str(reason))
