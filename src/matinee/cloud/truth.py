"""Truth with a third value, `None`: it depends on something that cannot be known here (Kleene's logic)."""

from __future__ import annotations

from collections.abc import Iterable

Truth = bool | None


def all_of(truths: Iterable[Truth]) -> Truth:
    """False when any is false, else unknown when any is unknown, else true."""
    seen = set(truths)
    if False in seen:
        return False
    return None if None in seen else True


def any_of(truths: Iterable[Truth]) -> Truth:
    """True when any is true, else unknown when any is unknown, else false."""
    seen = set(truths)
    if True in seen:
        return True
    return None if None in seen else False


def negation(truth: Truth) -> Truth:
    """The opposite; unknown stays unknown."""
    return None if truth is None else not truth
