"""`make autobahn`: Autobahn's fuzzing client against `/ws/echo/` of a real server. See CONTRIBUTING.md."""

import json
import shutil
import subprocess
import sys

from tests.autobahn.report import judge
from tests.processes import BASE_DIR, Server, serve

SECTIONS = [1, 2, 3, 4, 5, 6, 7, 9, 10]
"""Framing, pings, reserved bits, opcodes, fragments, UTF-8, closing; sizes and chopped writes."""
REPORTS = BASE_DIR / "var" / "autobahn"
IMAGE = "docker.io/crossbario/autobahn-testsuite:0.8.2"
AGENT = "chorus"
CLIENT_SECONDS = 1800
MISSING = """\
Autobahn's fuzzing client is missing: there is no `wstest` on the path that runs, and no Docker or Podman that answers.
Start one of these, which fetch its image by themselves, or install it for Python 2.7 or PyPy 2.7, and run make again:
    python2.7 -m pip install --user autobahntestsuite==0.8.2
    PATH="$HOME/.local/bin:$PATH" make autobahn
"""


def main() -> int:
    """Run all cases and say what became of them; 0: none failed, 1: some did or did not run, 2: no client."""
    client = _on_path() or _in_container()
    if client is None:
        sys.stderr.write(MISSING)
        return 2
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True, exist_ok=True)
    with serve({"CHORUS_MAX_FRAME_BYTES": "0", "CHORUS_MAX_TEXT": "0", "ALLOWED_HOSTS": _host(client)}) as server:
        done = _run(client, server)
        printed = server.log
    index = REPORTS / "index.json"
    if done != 0 or not index.exists():
        sys.stderr.write(f"Autobahn's fuzzing client ended with {done}; {REPORTS / 'client.log'} has what it said.\n")
        return 1
    verdict = judge(json.loads(index.read_text()).get(AGENT, {}), SECTIONS)
    if "Traceback" in printed:
        verdict.failed.append(f"the server printed\n{printed[printed.index('Traceback') :]}")
    sys.stdout.write("\n".join([*verdict.lines, f"Each case in full: {REPORTS / 'index.html'}", ""]))
    return 1 if verdict.failed else 0


def _on_path() -> list[str] | None:
    """Find a `wstest` that runs: one of Python 2.7 or PyPy; its versions for Python 3 do not start."""
    found = shutil.which("wstest")
    return [found] if found and _works(found, "--autobahnversion") else None


def _in_container() -> list[str] | None:
    """Find a container engine that runs, with what makes the server on this machine its neighbour."""
    for engine in ("docker", "podman"):
        if shutil.which(engine) and _works(engine, "info"):
            network = ["--network", "host"] if sys.platform == "linux" else []
            return [engine, "run", "--rm", *network, "-v", f"{REPORTS}:{REPORTS}", IMAGE, "wstest"]
    return None


def _works(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _host(client: list[str]) -> str:
    """By which name the client reaches this machine."""
    return "host.docker.internal" if IMAGE in client and "--network" not in client else "127.0.0.1"


def _run(client: list[str], server: Server) -> int:
    cases = [f"{section}.*" for section in SECTIONS]
    where = {"agent": AGENT, "url": f"ws://{_host(client)}:{server.port}/ws/echo/"}
    spec = {"outdir": str(REPORTS), "servers": [where], "cases": cases, "exclude-cases": [], "exclude-agent-cases": {}}
    path = REPORTS / "spec.json"
    path.write_text(json.dumps(spec))
    with (REPORTS / "client.log").open("w") as log:
        command = [*client, "-m", "fuzzingclient", "-s", str(path)]
        return subprocess.run(command, check=False, stdout=log, stderr=log, timeout=CLIENT_SECONDS).returncode


if __name__ == "__main__":
    sys.exit(main())
