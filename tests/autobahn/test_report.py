"""What becomes of Autobahn's report, and of a machine that cannot run it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.autobahn.report import judge
from tests.processes import BASE_DIR


def case(behavior: str = "OK", close: str = "OK") -> dict[str, object]:
    return {"behavior": behavior, "behaviorClose": close, "remoteCloseCode": 1000}


def test_all_is_well_where_every_case_passed() -> None:
    verdict = judge({"1.1.1": case(), "7.1.6": case("INFORMATIONAL", "INFORMATIONAL")}, [1, 7])
    assert (verdict.cases, verdict.failed, verdict.non_strict) == (2, [], [])


@pytest.mark.parametrize(
    "wrong",
    [
        case("FAILED"),
        case("UNIMPLEMENTED"),
        case(close="WRONG CODE"),
        case(close="UNCLEAN"),
        case("NON-STRICT", "FAILED"),
    ],
)
def test_a_case_fails_by_its_frames_or_by_its_close(wrong: dict[str, object]) -> None:
    verdict = judge({"1.1.1": case(), "1.1.2": wrong}, [1])
    assert [line.partition(":")[0] for line in verdict.failed] == ["1.1.2"]


def test_what_passed_less_strictly_is_told_in_the_order_of_cases() -> None:
    verdict = judge({"6.10.1": case("NON-STRICT"), "6.4.2": case("NON-STRICT")}, [6])
    assert verdict.failed == []
    assert [line.partition(":")[0] for line in verdict.non_strict] == ["6.4.2", "6.10.1"]


def test_a_section_that_did_not_run_has_failed() -> None:
    assert judge({"1.1.1": case()}, [1, 10]).failed == ["10.*: no case ran"]


def test_a_machine_without_a_client_is_told_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "wstest").write_text("#!/bin/sh\nexit 1\n")  # as one of Python 3
    (tmp_path / "wstest").chmod(0o755)
    command = [sys.executable, "-m", "tests.autobahn"]
    done = subprocess.run(
        command, cwd=BASE_DIR, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "autobahntestsuite" in done.stderr
