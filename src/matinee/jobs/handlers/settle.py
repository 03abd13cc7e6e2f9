"""Settling: a resource that needs no work becomes ACTIVE (or whatever its kind of job ends in)."""

from __future__ import annotations

from matinee.jobs.task import Outcome, Task


def settle(_: Task) -> Outcome:
    """Nothing to do: the states, and an update's new configuration, are all there is."""
    return Outcome()
