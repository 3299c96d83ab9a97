"""Settings as a process of its own reads them from its environment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijk",
    "ALLOWED_HOSTS": "chat.example.com",
    "REDIS_URL": "redis://localhost",
}


def run(data_dir: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project with this environment and no other."""
    clean = {"PATH": os.environ["PATH"], "DATA_DIR": str(data_dir), **env}
    return subprocess.run(
        [sys.executable, *arguments], cwd=BASE_DIR, env=clean, capture_output=True, text=True, check=False
    )


def values(data_dir: Path, *names: str, **env: str) -> list[Any]:
    """What these settings are in that environment."""
    wanted = ", ".join(f"settings.{name}" for name in names)
    code = f"import json; from config import settings; print(json.dumps([{wanted}]))"
    done = run(data_dir, "-c", code, **env)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found
