"""The peak of one training does not hold what an earlier one left behind."""

from __future__ import annotations

import gc
import os
import sys

import numpy as np
import pytest

from matinee.evaluation.memory import _RESET, forget_peak, peak_memory_mb

_MB = 10**6


@pytest.mark.skipif(
    sys.platform != "linux" or not os.access(_RESET, os.W_OK), reason="the system cannot forget the peak"
)
def test_what_nobody_uses_any_more_does_not_count() -> None:
    gc.disable()
    try:
        ring: list[object] = [np.ones(200 * _MB, np.uint8)]
        ring.append(ring)
        held = peak_memory_mb()
        del ring
        forget_peak()
        assert peak_memory_mb() < held - 150
    finally:
        gc.enable()


def test_there_is_always_a_peak() -> None:
    forget_peak()
    assert peak_memory_mb() > 1
