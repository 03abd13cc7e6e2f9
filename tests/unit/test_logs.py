"""Log lines go to standard error, from the level upwards, and show no variables."""

from __future__ import annotations

import subprocess
import sys

_START = """
import structlog
from matinee.logs import log_to_stderr
log_to_stderr("WARNING")
log = structlog.get_logger()
"""
_LEVELS = """
log.info("not this one")
log.warning("this one")
"""
_FAILURE = """
def serve(user):
    raise RuntimeError("the disk is full")

try:
    serve("-".join(["user", "17"]))
except RuntimeError:
    log.exception("request failed")
"""


def told(program: str) -> str:
    """What a process that logs writes on standard error; it writes nothing on standard output."""
    ran = subprocess.run([sys.executable, "-c", _START + program], capture_output=True, text=True, check=True)
    assert ran.stdout == ""
    return ran.stderr


def test_lines_below_the_level_are_left_out() -> None:
    lines = told(_LEVELS)
    assert "this one" in lines
    assert "not this one" not in lines


def test_a_traceback_shows_where_but_no_values_of_variables() -> None:
    lines = told(_FAILURE)
    assert "RuntimeError: the disk is full" in lines
    assert "in serve" in lines
    assert "user-17" not in lines


def test_a_plain_line_is_what_structlog_writes() -> None:
    values = 'access_key=None account="1" operation="Get" region="r" request_id="x-1" status=200'
    program = f"""
log_to_stderr("INFO")
from matinee.logs import plain_lines
plain_lines().info("request", "{values.replace('"', "")}")
structlog.get_logger().info("request", {values.replace(" ", ", ")})
"""
    plain, written = told(program).splitlines()
    # The second may have changed between the two.
    assert plain[19:] == written.rstrip()[19:]
    assert len(plain[:19].split("-")) == 3


def test_plain_lines_are_for_lines_that_structlog_would_write() -> None:
    assert told("from matinee.logs import plain_lines\nassert plain_lines() is None") == ""
    captured = """
log_to_stderr("INFO")
from matinee.logs import plain_lines
from structlog.testing import capture_logs
with capture_logs():
    assert plain_lines() is None
assert plain_lines() is not None
"""
    assert told(captured) == ""
