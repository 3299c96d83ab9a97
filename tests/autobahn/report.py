"""What Autobahn's report says: which cases failed, and which passed without being as strict as they could."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}


@dataclass
class Verdict:
    """Cases by what became of them."""

    cases: int
    failed: list[str] = field(default_factory=list)
    non_strict: list[str] = field(default_factory=list)
    """Right by RFC 6455, where its best reading asks for more: to answer earlier, or what came before."""

    @property
    def lines(self) -> list[str]:
        """What a person reads."""
        told = [f"FAILED      {case}" for case in self.failed]
        told += [f"non-strict  {case}" for case in self.non_strict]
        return [*told, f"{self.cases} cases, {len(self.failed)} failed, {len(self.non_strict)} non-strict"]


def judge(report: Mapping[str, Mapping[str, Any]], sections: list[int]) -> Verdict:
    """Read an agent's part of `index.json`, whose cases are of these sections; one without a case failed."""
    verdict = Verdict(len(report))
    for case in sorted(report, key=_in_order):
        behavior, close = report[case]["behavior"], report[case]["behaviorClose"]
        line = f"{case}: {behavior}, close {close} ({report[case]['remoteCloseCode']})"
        if not {behavior, close} <= PASSED:
            verdict.failed.append(line)
        elif "NON-STRICT" in {behavior, close}:
            verdict.non_strict.append(line)
    ran = {_in_order(case)[0] for case in report}
    verdict.failed += [f"{section}.*: no case ran" for section in sections if section not in ran]
    return verdict


def _in_order(case: str) -> list[int]:
    return [int(part) for part in case.split(".")]
