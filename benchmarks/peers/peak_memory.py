"""The most memory that a peer's process has held: read by a Python that has no Matinee."""

from __future__ import annotations

from pathlib import Path


def peak_memory_mb() -> float:
    """MB (10⁶ bytes). Linux only: `ru_maxrss` would tell of the process that started this one, too."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError("/proc/self/status has no VmHWM")
