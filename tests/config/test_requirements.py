"""The resolved requirements: complete for every Python and system they are for, and bound to their hashes."""

import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BASE_DIR = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())
LINUX = ("linux", "posix", "Linux", "x86_64")
WINDOWS = ("win32", "nt", "Windows", "AMD64")
INTEL_MAC = ("darwin", "posix", "Darwin", "x86_64")


def environment(python: str, system: tuple[str, str, str, str]) -> dict[str, str]:
    """The marker values (PEP 508) of CPython on a system."""
    names = ("sys_platform", "os_name", "platform_system", "platform_machine")
    return {
        **dict(zip(names, system, strict=True)),
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
    }


ENVIRONMENTS = {
    "3.11.0 on Linux": environment("3.11.0", LINUX),
    "3.11.2 on Linux": environment("3.11.2", LINUX),
    "3.13 on Linux": environment("3.13.1", LINUX),
    "3.14 on Linux": environment("3.14.0", LINUX),
    "3.13 on Windows": environment("3.13.1", WINDOWS),
    "3.13 on an Intel Mac": environment("3.13.1", INTEL_MAC),
}


@dataclass
class Pin:
    """One line of a resolved file."""

    requirement: Requirement
    hashes: list[str]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        (specifier,) = self.requirement.specifier
        assert specifier.operator == "=="
        return specifier.version


def text(name: str) -> str:
    """A resolved file."""
    return (BASE_DIR / "requirements" / f"{name}.txt").read_text()


def pins(name: str) -> list[Pin]:
    """The lines of a resolved file."""
    lines = text(name).replace("\\\n", " ").splitlines()
    return [Pin(Requirement(line.partition(" --hash")[0]), re.findall(r"--hash=(\S+)", line)) for line in lines]


def installed(name: str, where: dict[str, str]) -> dict[str, str]:
    """What pip would install there: versions by name."""
    active = [pin for pin in pins(name) if _applies(pin.requirement, where)]
    versions = {pin.name: pin.version for pin in active}
    assert len(versions) == len(active), "one package in two versions"
    return versions


def _applies(requirement: Requirement, where: dict[str, str], extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**where, "extra": extra})


def wanted(name: str) -> list[Requirement]:
    """What pyproject.toml asks for."""
    groups = [PROJECT["project"]["dependencies"]]
    if name == "dev":
        groups.append(PROJECT["dependency-groups"]["dev"])
    return [Requirement(line) for group in groups for line in group]


both_files = pytest.mark.parametrize("name", ["runtime", "dev"])
everywhere = pytest.mark.parametrize("where", ENVIRONMENTS.values(), ids=ENVIRONMENTS)


@both_files
def test_every_package_is_bound_to_its_hashes(name: str) -> None:
    for pin in pins(name):
        assert pin.hashes, pin.name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in pin.hashes)


@both_files
def test_no_package_index_is_named(name: str) -> None:
    assert "://" not in text(name)
    assert not re.search(r"^\s*(-[a-z]|--(?!hash=))", text(name), re.MULTILINE)


@both_files
@everywhere
def test_what_the_project_asks_for_is_there(name: str, where: dict[str, str]) -> None:
    found = installed(name, where)
    for requirement in wanted(name):
        if _applies(requirement, where):
            assert requirement.specifier.contains(found[canonicalize_name(requirement.name)]), requirement


@both_files
@everywhere
def test_what_the_packages_ask_for_is_there(name: str, where: dict[str, str]) -> None:
    """As far as the packages are installed here, whose own metadata says what they need."""
    found = installed(name, where)
    extras = {str(canonicalize_name(each.name)): ["", *each.extras] for each in wanted(name)}
    for package in found:
        for requirement in _needs(package, found[package]):
            if any(_applies(requirement, where, extra) for extra in extras.get(package, [""])):
                assert canonicalize_name(requirement.name) in found, f"{package} needs {requirement}"


def _needs(package: str, pinned: str) -> list[Requirement]:
    try:
        here = version(package) == pinned
    except PackageNotFoundError:
        return []
    return [Requirement(line) for line in requires(package) or []] if here else []


def test_python_below_3_11_3_gets_what_redis_needs_there() -> None:
    assert "async-timeout" in installed("runtime", ENVIRONMENTS["3.11.2 on Linux"])
    assert "async-timeout" not in installed("runtime", ENVIRONMENTS["3.13 on Linux"])


def test_windows_gets_time_zones_and_no_uvloop() -> None:
    windows = installed("runtime", ENVIRONMENTS["3.13 on Windows"])
    assert "tzdata" in windows
    assert "uvloop" not in windows
    assert "uvloop" in installed("runtime", ENVIRONMENTS["3.13 on Linux"])


@everywhere
def test_development_runs_on_the_versions_of_production(where: dict[str, str]) -> None:
    assert installed("runtime", where).items() <= installed("dev", where).items()
