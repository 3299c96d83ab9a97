"""The Makefile and the installation behind it, with Pythons that only pretend: no network is touched."""

import shutil
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from tests.processes import missing

BASE_DIR = Path(__file__).resolve().parents[2]
TOOLS = ["awk", "chmod", "cksum", "cp", "mkdir", "rm", "sh", "tr"]
PYTHON = """\
    #!/bin/sh
    # A Python {version} with whichever of venv and virtualenv are named, whose pip ends with {pip}.
    case "$*" in
        --version) echo "Python {version}" ;;
        "-m venv .venv" | "-m virtualenv --quiet .venv")
            mkdir -p .venv/bin
            case " {modules} " in *" $2 "*) ;; *) exit 1 ;; esac
            echo "$0" >.venv/made-by
            cp "$0" .venv/bin/python ;;
        "-c print(\\"yes\\")") echo yes ;;
        *"pip install"*) echo "$*" >>installed; exit {pip} ;;
        -c*) ;;
        *) echo "ran $* with LAN=${{CHORUS_DEV_LAN:-no}}" ;;
    esac
"""
UV = """\
    #!/bin/sh
    # A uv that makes environments with the Python it is told: uv venv --quiet --seed --python P .venv
    [ -e .venv ] && exit 1  # something half made is in the way
    mkdir -p .venv/bin
    echo uv >.venv/made-by
    cp "$5" .venv/bin/python
"""


class Machine:
    """A directory with the project's Makefile, and a path on which is only what a test puts there."""

    def __init__(self, directory: Path, make: str) -> None:
        self.make_binary = make
        self.bin, self.project = directory / "bin", directory / "project"
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or "/nowhere")
        shutil.copytree(BASE_DIR / "requirements", self.project / "requirements")
        shutil.copy(BASE_DIR / "Makefile", self.project)
        (self.project / "benchmarks").mkdir()
        shutil.copy(BASE_DIR / "benchmarks/requirements.txt", self.project / "benchmarks")

    def program(self, name: str, text: str) -> Path:
        """Put a program on the path."""
        path = self.bin / name
        path.write_text(dedent(text))
        path.chmod(0o755)
        return path

    def python(self, name: str, version: str, *, modules: str = "venv", pip: int = 0) -> Path:
        """Put a Python on the path."""
        return self.program(name, dedent(PYTHON).format(version=version, modules=modules, pip=pip))

    def make(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run make."""
        return subprocess.run(
            [self.make_binary, *arguments],
            cwd=self.project,
            env={"PATH": str(self.bin), **env},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def made_by(self) -> str:
        """What made the environment: a program's name."""
        return Path((self.project / ".venv/made-by").read_text().strip()).name

    @property
    def stamps(self) -> list[str]:
        """The stamps in the environment."""
        return sorted(path.name for path in (self.project / ".venv").glob("*-[0-9]*"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without any Python."""
    return Machine(tmp_path, shutil.which("make") or missing("make", "sudo apt-get install make"))


def test_help_names_every_target(machine: Machine) -> None:
    said = machine.make().stdout
    targets = "run install test test-fast test-of chaos check autobahn bench password token cert"
    for target in targets.split():
        assert f"make {target} " in said


# Which Python.


def test_the_newest_python_is_taken(machine: Machine) -> None:
    for version in ("3.9.18", "3.11.2", "3.13.1"):
        machine.python(f"python3.{version.split('.')[1]}", version)
    assert machine.make("install").returncode == 0
    assert machine.made_by == "python3.13"


def test_a_python_without_a_number_is_good_enough(machine: Machine) -> None:
    machine.python("python3", "3.12.1")
    assert machine.make("install").returncode == 0
    assert machine.made_by == "python3"


def test_a_name_that_leads_nowhere_is_passed_over(machine: Machine) -> None:
    machine.program("python3.14", "#!/bin/sh\necho 'python3.14: command not found' >&2\nexit 127\n")
    machine.python("python3.12", "3.12.1")
    machine.make("install")
    assert machine.made_by == "python3.12"


def test_the_chosen_python_is_taken(machine: Machine) -> None:
    machine.python("python3.13", "3.13.1")
    machine.python("mine", "3.11.0")
    machine.make("install", PYTHON="mine")
    assert machine.made_by == "mine"


def test_an_old_python_is_named(machine: Machine) -> None:
    path = machine.python("python3", "3.10.12")
    done = machine.make("run")
    assert done.returncode != 0
    said = f"Chorus needs Python 3.11 or newer; found 3.10.12 ({path}). Use another: make run PYTHON=…"
    assert said in done.stderr.splitlines()


def test_no_python_at_all_is_said(machine: Machine) -> None:
    assert "Chorus needs Python 3.11 or newer; found none." in machine.make("run").stderr


# Which way to make the environment.


def test_uv_makes_the_environment_where_venv_is_missing(machine: Machine) -> None:
    machine.python("python3", "3.11.2", modules="virtualenv")
    machine.program("uv", UV)
    assert machine.make("install").returncode == 0
    assert machine.made_by == "uv"


def test_virtualenv_makes_it_where_uv_is_missing_too(machine: Machine) -> None:
    machine.python("python3", "3.11.2", modules="virtualenv")
    assert machine.make("install").returncode == 0
    assert machine.made_by == "python3"


def test_without_any_of_them_the_package_is_named(machine: Machine) -> None:
    machine.python("python3", "3.11.2", modules="")
    done = machine.make("run")
    assert done.returncode != 0
    assert (
        "Python's venv module is missing. Debian/Ubuntu: sudo apt-get install python3-venv   Then run make again."
    ) in done.stderr.splitlines()
    assert not (machine.project / ".venv").exists()


# What is installed when.


def test_packages_are_installed_with_their_hashes(machine: Machine) -> None:
    machine.python("python3", "3.11.2")
    machine.make("install")
    (installed,) = (machine.project / "installed").read_text().splitlines()
    assert "--require-hashes -r requirements/runtime.txt" in installed


def test_a_second_run_installs_nothing(machine: Machine) -> None:
    machine.python("python3", "3.11.2")
    machine.make("install")
    before = (machine.project / "installed").read_text()
    done = machine.make("run")
    assert done.stdout == "ran manage.py up --host 127.0.0.1 --port 8000 with LAN=no\n"
    assert (machine.project / "installed").read_text() == before


def test_changed_requirements_are_installed_into_the_same_environment(machine: Machine) -> None:
    machine.python("python3", "3.11.2")
    machine.make("install")
    (before,) = machine.stamps
    (machine.project / ".venv/kept").touch()
    with (machine.project / "requirements/runtime.txt").open("a") as requirements:
        requirements.write("# changed\n")
    machine.make("install")
    (after,) = machine.stamps
    assert after != before
    assert (machine.project / ".venv/kept").exists()


def test_development_needs_both_files(machine: Machine) -> None:
    machine.python("python3", "3.11.2")
    done = machine.make("test", "ARGS=-k one")
    assert [stamp.partition("-")[0] for stamp in machine.stamps] == ["dev", "runtime"]
    assert done.stdout.startswith("ran -m pytest ")
    assert "-k one" in done.stdout


def test_benchmarks_need_what_they_compare_with(machine: Machine) -> None:
    machine.python("python3", "3.11.2")
    done = machine.make("bench", "ROW=fanout")
    assert [stamp.partition("-")[0] for stamp in machine.stamps] == ["bench", "dev", "runtime"]
    assert done.stdout.startswith("ran -m benchmarks fanout ")


def test_an_environment_whose_python_is_gone_is_made_again(machine: Machine) -> None:
    machine.python("python3", "3.11.2")
    machine.make("install")
    (machine.project / ".venv/bin/python").unlink()
    assert machine.make("install").returncode == 0
    assert (machine.project / ".venv/bin/python").exists()


def test_without_a_package_index_nothing_counts_as_installed(machine: Machine) -> None:
    machine.python("python3", "3.11.2", pip=1)
    done = machine.make("run")
    assert done.returncode != 0
    assert (
        "Could not download packages (the first run needs a package index). Nothing was changed; run make again."
    ) in done.stderr.splitlines()
    assert machine.stamps == []


# What is run.


@pytest.fixture
def installed(machine: Machine) -> Machine:
    """A machine on which everything is installed."""
    machine.python("python3", "3.11.2")
    machine.make("install")
    return machine


def test_host_and_port_may_stand_before_or_after(installed: Machine) -> None:
    after = installed.make("run", "PORT=8001", "HOST=::1").stdout
    before = installed.make("run", PORT="8001", HOST="::1").stdout
    assert after == before == "ran manage.py up --host ::1 --port 8001 with LAN=no\n"


def test_another_host_is_a_trusted_network(installed: Machine) -> None:
    said = installed.make("run", "HOST=0.0.0.0").stdout
    assert said == "ran manage.py up --host 0.0.0.0 --port 8000 with LAN=1\n"


def test_tls_is_a_switch(installed: Machine) -> None:
    assert "--port 8000 --tls " in installed.make("run", TLS="1").stdout
    assert "--tls" not in installed.make("run", "TLS=0").stdout


def test_the_quick_tests_are_those_without_a_process(installed: Machine) -> None:
    said = installed.make("test-fast", "ARGS=-k one").stdout
    assert said.startswith("ran -m pytest ")
    assert "-m not process -k one" in said


def test_the_tests_of_a_file_are_asked_of_the_mirror(installed: Machine) -> None:
    said = installed.make("test-of", "FILE=chat/models.py").stdout
    assert said.startswith("ran -m pytest ran -m tests.mirror chat/models.py ")


def test_a_token_is_for_who_is_named(installed: Machine) -> None:
    assert installed.make("token", "USER=alice", USER="me").stdout == "ran manage.py create_token alice with LAN=no\n"
    nobody = installed.make("token", USER="me")
    assert nobody.returncode != 0
    assert "Whose token? make token USER=alice" in nobody.stderr


def test_an_old_make_can_read_the_makefile() -> None:
    text = (BASE_DIR / "Makefile").read_text()
    for newer in ("!=", "::=", ".ONESHELL", "$(file ", "$(let ", "$(intcmp "):
        assert newer not in text


@pytest.mark.parametrize("shell", [name for name in ("sh", "dash", "bash", "ksh") if shutil.which(name)])
def test_shells_can_read_the_installation(shell: str) -> None:
    subprocess.run([shell, "-n", "requirements/install.sh"], cwd=BASE_DIR, check=True)


@pytest.mark.parametrize("script", ["requirements/install.sh", ".ci/run", "Makefile", "Dockerfile"])
def test_scripts_end_their_lines_as_shells_want_it_wherever_they_are_checked_out(script: str) -> None:
    found = subprocess.run(["git", "check-attr", "eol", "--", script], cwd=BASE_DIR, capture_output=True, text=True)
    if found.returncode:
        pytest.skip("this is no checkout of git")
    assert found.stdout == f"{script}: eol: lf\n"
