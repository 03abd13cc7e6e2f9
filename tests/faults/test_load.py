"""The load run, for a few seconds: no error and no stale answer while events, filters and versions change."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks/load.py"


def test_under_load_nothing_fails_and_nothing_is_stale(tmp_path: Path) -> None:
    options = ["--seconds", "8", "--recipe", "aws-popularity-count", "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "load.json").read_text())
    assert (found["errors"], found["wrong"]) == (0, [])
    assert min(found["requests"], found["events"], found["filters"], found["checks"]) > 0
    assert "No error, no stale answer." in (tmp_path / "load.md").read_text()
