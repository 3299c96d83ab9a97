"""The benchmarks need Linux; what of them is arithmetic is tested everywhere."""

import sys
from pathlib import Path

ANYWHERE = {"test_plot.py", "test_results.py", "test_wire.py"}
collect_ignore = [
    path.name
    for path in Path(__file__).parent.glob("test_*.py")
    if sys.platform != "linux" and path.name not in ANYWHERE
]
