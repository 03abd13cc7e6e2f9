"""A device is there when something can be computed on it."""

from __future__ import annotations

import subprocess
import sys

from matinee.models.transformer.device import missing_device


def test_the_processor_is_there_and_asking_loads_nothing() -> None:
    code = "import sys; from matinee.models.transformer.device import missing_device as m; m('cpu')"
    subprocess.run([sys.executable, "-c", f"{code}; sys.exit('torch' in sys.modules)"], check=True)
    assert missing_device("cpu") is None


def test_a_device_that_nobody_has_is_told_in_a_line() -> None:
    reason = missing_device("abacus")
    assert reason is not None
    assert "abacus" in reason
    assert "\n" not in reason


def test_a_device_that_keeps_no_numbers_is_none() -> None:
    assert missing_device("meta") is not None
