"""kill -9 during batch jobs, exports and deletions, two rounds of each. `make faults` has 20."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.faults.job_rounds import KINDS, Rounds


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind.value)
def test_a_kill_at_a_point_and_one_at_random(kind: type[Rounds], tmp_path: Path) -> None:
    chance = random.Random(6)
    kind(tmp_path).play([chance.choice(kind.points), None], chance)
