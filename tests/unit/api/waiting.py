"""Waiting for what another thread or process will do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path


def until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Return when `condition` holds; fail after `seconds`, which is far longer than it ever takes."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not happen"
        threading.Event().wait(0.01)


def gone(pid: int) -> bool:
    """Whether the process has ended; one that nobody waited for counts."""
    try:
        return ") Z" in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
