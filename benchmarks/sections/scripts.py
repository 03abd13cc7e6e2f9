"""Sections that are scripts of their own, with pages of their own: run by the same Python, shown on the common page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

#: The scripts beside accuracy.py with their arguments, by section.
SCRIPTS = {"related-items": ("related_items.py", "--seeds", "10"), "actions-segments": ("actions_segments.py",)}


def measure(section: str) -> dict[str, Any]:
    """Run the script of a section, which writes its page beside itself. Raises SystemExit when it fails."""
    script, *arguments = SCRIPTS[section]
    done = subprocess.run([sys.executable, str(Path(__file__).parents[1] / script), *arguments], check=False)
    if done.returncode:
        raise SystemExit(f"{script} failed with exit status {done.returncode}.")
    return {"script": script}
