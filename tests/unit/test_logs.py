"""Log lines go to standard error, from the level upwards."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import structlog
from matinee.logs import log_to_stderr
log_to_stderr("WARNING")
structlog.get_logger().info("not this one")
structlog.get_logger().warning("this one")
"""


def test_lines_below_the_level_are_left_out() -> None:
    ran = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert ran.stdout == ""
    assert "this one" in ran.stderr
    assert "not this one" not in ran.stderr
