"""The most memory that this process has held since a moment."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def forget_peak() -> None:
    """Start counting anew, where the system can (Linux); elsewhere the peak stays that of the whole process.

    What nobody uses any more is given back to the system before, or it would count for whoever comes next.
    """
    gc.collect()
    _trim()
    try:
        _RESET.write_text("5", encoding="ascii")
    except OSError:
        return


def _trim() -> None:
    """Let glibc give back the pages of freed memory that it keeps for later; nothing where there is no glibc."""
    if sys.platform != "linux":
        return
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return


def peak_memory_mb() -> float:
    """The peak resident memory of this process, MB (10⁶ bytes): since `forget_peak` on Linux, else since its start."""
    try:
        for line in _STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
