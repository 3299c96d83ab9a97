"""docs/extending.md shows the code in examples/ as it is, all of it, and says truly how much that is."""

import re
from pathlib import Path

import pytest

from tests.processes import BASE_DIR

EXAMPLES = BASE_DIR / "examples"
PAGE = (BASE_DIR / "docs" / "extending.md").read_text()
BLOCKS = re.findall(r"^`(examples/[^`]+)`\n\n```(?:python|js|html|css)\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)


def parts(*kinds: str) -> list[Path]:
    """The files of the example that somebody wrote: no migration, no test."""
    found = [path for kind in kinds for path in sorted(EXAMPLES.rglob(f"*.{kind}"))]
    return [path for path in found if "migrations" not in path.parts and not path.name.startswith("test_")]


def lines(paths: list[Path]) -> int:
    """How many lines are not blank."""
    return sum(1 for path in paths for line in path.read_text().splitlines() if line.strip())


def test_every_block_of_code_says_of_which_file_it_is() -> None:
    fences = re.findall(r"^```(\w*)$", PAGE, re.MULTILINE)[::2]
    assert len([language for language in fences if language != "sh"]) == len(BLOCKS)


@pytest.mark.parametrize(("name", "code"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_a_block_is_the_code_of_its_file_or_a_part_of_it(name: str, code: str) -> None:
    text = (BASE_DIR / name).read_text()
    assert f"\n{code}\n" in f"\n{text}"


@pytest.mark.parametrize("path", parts("py", "js", "html", "css"), ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_what_the_page_counts_it_shows(path: Path) -> None:
    shown = [code for name, code in BLOCKS if BASE_DIR / name == path]
    assert "\n".join(shown).strip() == path.read_text().strip()


def test_the_number_of_lines_is_true_and_small() -> None:
    code, styles = lines(parts("py", "js", "html")), lines(parts("css"))
    assert f"It is **{code} lines** of Python, JavaScript and HTML" in PAGE
    assert f"and {styles} of\nCSS" in PAGE
    assert f"[{code} lines](docs/extending.md)" in (BASE_DIR / "README.md").read_text()
    assert code < 150
