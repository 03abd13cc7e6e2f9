"""The progress of several phases as one fraction."""

from __future__ import annotations

from pathlib import Path

from matinee.models.base import FitOptions, Progress
from matinee.training.progress import PhasedProgress


def test_phases_share_the_fraction_by_weight() -> None:
    seen: list[Progress] = []
    progress = PhasedProgress([("a", 3), ("b", 1)], seen.append)
    for phase in ("a", "b"):
        progress.report(phase, Progress(0.5, "half"))
        progress.report(phase, Progress(1.0, "done"))
    assert [step.fraction for step in seen] == [0.375, 0.75, 0.875, 1.0]


def test_it_never_goes_back() -> None:
    seen: list[Progress] = []
    progress = PhasedProgress([("a", 1)], seen.append)
    progress.report("a", Progress(0.8, "far"))
    progress.report("a", Progress(0.1, "again from a checkpoint"))
    assert [step.fraction for step in seen] == [0.8, 0.8]


def test_metrics_and_messages_pass_through() -> None:
    seen: list[Progress] = []
    PhasedProgress([("a", 1)], seen.append).report("a", Progress(0.5, "epoch 1", None, {"loss": 2.0}))
    assert (seen[0].message, seen[0].metrics) == ("epoch 1", {"loss": 2.0})


def test_the_time_left_is_known_once_something_is_done() -> None:
    seen: list[Progress] = []
    progress = PhasedProgress([("a", 1)], seen.append)
    progress.start("a", "begin")
    progress.report("a", Progress(0.5, "half"))
    assert seen[0].seconds_left is None
    assert seen[1].seconds_left is not None


def test_each_phase_has_a_checkpoint_folder_of_its_own(tmp_path: Path) -> None:
    progress = PhasedProgress([("a", 1), ("b", 1)], lambda _: None)
    options = FitOptions(seed=3, checkpoints=tmp_path)
    first, second = progress.options("a", options), progress.options("b", options)
    assert (first.checkpoints, second.checkpoints) == (tmp_path / "a", tmp_path / "b")
    assert first.seed == 3
