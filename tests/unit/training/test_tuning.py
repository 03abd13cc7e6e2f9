"""Studies: every trial once, the same after a kill, hopeless trials cut short, several at a time, stopped at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from matinee.errors import JobStopped
from matinee.models.base import FitOptions, Progress
from matinee.recipes.catalogue import find
from matinee.recipes.parameters import Value
from matinee.recipes.tuning import Search, plan_search
from matinee.training.tuning import Tuning, tune

DISCOUNT, COUNT = "popularity_discount_factor", "min_cointeraction_count"


def sims(jobs: int = 6, parallel: int = 1) -> Search:
    """A search of both parameters of aws-sims."""
    limits = {"maxNumberOfTrainingJobs": str(jobs), "maxParallelTrainingJobs": str(parallel)}
    return plan_search(find("aws-sims"), {"hpoConfig": {"hpoResourceConfig": limits}})


def counts(low: int, high: int, jobs: int = 20) -> Search:
    """A search of the smallest count of co-interactions alone."""
    entry = {"name": COUNT, "minValue": low, "maxValue": high}
    ranges = {"integerHyperParameterRanges": [entry]}
    limits = {"maxNumberOfTrainingJobs": str(jobs)}
    config = {"hpoResourceConfig": limits, "algorithmHyperParameterRanges": ranges}
    return plan_search(find("aws-sims"), {"hpoConfig": config})


def hill(values: Mapping[str, Value], _: FitOptions) -> float:
    """Highest, 1.0, at a discount of 0.8 and a count of 2."""
    return 1 - abs(float(values[DISCOUNT]) - 0.8) - 0.01 * abs(int(values[COUNT]) - 2)


class Recorded:
    """An objective that remembers what it was asked, and fails where it is told to."""

    def __init__(self, fails_at: int | None = None, ask: Callable[..., float] = hill) -> None:
        self.asked: list[dict[str, Value]] = []
        self._fails_at, self._ask = fails_at, ask

    def __call__(self, values: Mapping[str, Value], options: FitOptions) -> float:
        self.asked.append(dict(values))
        if len(self.asked) == self._fails_at:
            raise MemoryError
        return self._ask(values, options)


def told(tuning: Tuning) -> object:
    """A study without its times."""
    return tuning.describe()


def test_the_first_trial_is_the_recipes_own() -> None:
    objective = Recorded()
    tuning = tune(sims(), objective, FitOptions())
    assert objective.asked[0] == {DISCOUNT: 0.5, COUNT: 3}
    assert len(tuning.trials) == len(objective.asked) == 6


def test_the_best_values_come_back_as_strings() -> None:
    objective = Recorded()
    tuning = tune(sims(), objective, FitOptions())
    best = max(objective.asked, key=lambda values: hill(values, FitOptions()))
    assert dict(tuning.parameters) == {name: str(value) for name, value in best.items()}
    assert tuning.value == hill(best, FitOptions()) > hill({DISCOUNT: 0.5, COUNT: 3}, FitOptions())


def test_a_study_is_deterministic_by_its_seed() -> None:
    first, second, other = (tune(sims(), hill, FitOptions(seed=seed)) for seed in (0, 0, 1))
    assert told(first) == told(second) != told(other)


def test_learning_finds_better_values_than_chance_alone() -> None:
    tuning = tune(sims(jobs=40), hill, FitOptions())
    late, early = (sum(trial.value for trial in part) for part in (tuning.trials[-10:], tuning.trials[:10]))
    assert late > early


def test_few_values_are_all_tried() -> None:
    objective = Recorded(ask=lambda values, _: float(values[COUNT]))
    tuning = tune(counts(1, 4), objective, FitOptions())
    assert sorted(int(values[COUNT]) for values in objective.asked) == [1, 2, 3, 4]
    assert dict(tuning.parameters) == {COUNT: "4"}


def test_equal_values_are_not_trained_again() -> None:
    objective = Recorded(ask=lambda values, _: float(values[COUNT]))
    tuning = tune(counts(0, 10, jobs=10), objective, FitOptions())
    asked = [values[COUNT] for values in objective.asked]
    assert len(asked) == len(set(asked)) < len(tuning.trials) == 10


def test_finished_trials_are_not_repeated(tmp_path: Path) -> None:
    options = FitOptions(checkpoints=tmp_path)
    failing, going_on = Recorded(fails_at=4), Recorded()
    with pytest.raises(MemoryError):
        tune(sims(), failing, options)
    resumed = tune(sims(), going_on, options)
    assert going_on.asked[0] == failing.asked[-1]
    assert len(going_on.asked) == 3
    assert told(resumed) == told(tune(sims(), hill, FitOptions()))


def test_a_study_that_has_ended_trains_nothing(tmp_path: Path) -> None:
    options, again = FitOptions(checkpoints=tmp_path), Recorded()
    first = tune(sims(), hill, options)
    assert tune(sims(), again, options) == first
    assert again.asked == []


KILLED = """
import os, signal, sys
from pathlib import Path
from matinee.models.base import FitOptions
from matinee.recipes.catalogue import find
from matinee.recipes.tuning import plan_search
from matinee.training.tuning import tune
asked = []
def objective(values, options):
    asked.append(values)
    if len(asked) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1 - abs(values["popularity_discount_factor"] - 0.8) - 0.01 * abs(values["min_cointeraction_count"] - 2)
limits = {"maxNumberOfTrainingJobs": "6"}
search = plan_search(find("aws-sims"), {"hpoConfig": {"hpoResourceConfig": limits}})
tune(search, objective, FitOptions(checkpoints=Path(sys.argv[1])))
"""


def test_a_killed_study_goes_on_where_it_was(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert ended.returncode == -9
    going_on = Recorded()
    resumed = tune(sims(), going_on, FitOptions(checkpoints=tmp_path))
    assert len(going_on.asked) == 4
    assert told(resumed) == told(tune(sims(), hill, FitOptions()))


def curve(values: Mapping[str, Value], options: FitOptions) -> float:
    """A training of five epochs that reports less the higher its count."""
    for epoch in range(1, 6):
        metrics = {"epoch": float(epoch), "ndcg_at_10": 1 - float(values[COUNT]) / 10}
        options.on_progress(Progress(epoch / 5, f"epoch {epoch}", None, metrics))
    return 1 - float(values[COUNT]) / 10


def test_hopeless_trials_are_cut_short() -> None:
    tuning = tune(counts(0, 4), curve, FitOptions())
    assert [trial.pruned for trial in tuning.trials] == [False, False, False, True, True]
    assert [trial.parameters[COUNT] for trial in tuning.trials] == ["3", "0", "1", "2", "4"]
    assert [trial.epochs for trial in tuning.trials] == [5, 5, 5, 2, 2]
    assert dict(tuning.parameters) == {COUNT: "0"}


def test_what_a_trial_had_reported_before_a_kill_still_counts(tmp_path: Path) -> None:
    def cut_off(values: Mapping[str, Value], options: FitOptions) -> float:
        options.on_progress(Progress(0.2, "epoch 1", None, {"epoch": 1.0, "ndcg_at_10": 0.5}))
        raise MemoryError

    def going_on(values: Mapping[str, Value], options: FitOptions) -> float:
        options.on_progress(Progress(0.4, "epoch 2", None, {"epoch": 2.0, "ndcg_at_10": 0.6}))
        return 0.6

    options = FitOptions(checkpoints=tmp_path)
    with pytest.raises(MemoryError):
        tune(counts(2, 2), cut_off, options)
    (trial,) = tune(counts(2, 2), going_on, options).trials
    assert trial.epochs == 2


def test_progress_names_the_trial_and_the_best_so_far() -> None:
    steps: list[Progress] = []
    tune(counts(0, 4), curve, FitOptions(on_progress=steps.append))
    assert steps[0].message == "trial 1 of 5: epoch 1"
    assert "trial 5 of 5: pruned; best so far 1.0000" in [step.message for step in steps]
    assert steps[-1].fraction == 1.0
    assert steps[-1].metrics["best"] == 1


def test_trials_run_side_by_side_where_that_is_asked_for_and_allowed() -> None:
    meeting = threading.Barrier(2, timeout=30)

    def objective(values: Mapping[str, Value], options: FitOptions) -> float:
        meeting.wait()
        return hill(values, options)

    assert len(tune(sims(jobs=4, parallel=2), objective, FitOptions(), parallel=5).trials) == 4


@pytest.mark.parametrize(("asked", "allowed"), [(1, 4), (4, 1)])
def test_no_more_at_a_time_than_asked_for_and_allowed(asked: int, allowed: int) -> None:
    running = threading.Lock()

    def objective(values: Mapping[str, Value], options: FitOptions) -> float:
        assert running.acquire(blocking=False)
        value = hill(values, options)
        running.release()
        return value

    assert len(tune(sims(jobs=4, parallel=asked), objective, FitOptions(), parallel=allowed).trials) == 4


def test_a_failure_of_one_ends_those_beside_it() -> None:
    meeting, first = threading.Barrier(2, timeout=30), threading.Lock()

    def objective(values: Mapping[str, Value], options: FitOptions) -> float:
        meeting.wait()
        if first.acquire(blocking=False):
            raise MemoryError
        while not options.should_stop():
            threading.Event().wait(0.01)
        raise JobStopped("stopped")

    with pytest.raises((MemoryError, JobStopped)):
        tune(sims(jobs=4, parallel=2), objective, FitOptions(), parallel=2)


def test_a_study_that_is_stopped_ends_within_a_trial(tmp_path: Path) -> None:
    asked: list[int] = []

    def objective(values: Mapping[str, Value], options: FitOptions) -> float:
        asked.append(1)
        options.raise_if_stopped()
        return hill(values, options)

    options = FitOptions(checkpoints=tmp_path, should_stop=lambda: len(asked) == 2)
    with pytest.raises(JobStopped):
        tune(sims(), objective, options)
    assert len(asked) == 2


def test_checkpoints_of_finished_trials_are_cleared_away(tmp_path: Path) -> None:
    def objective(values: Mapping[str, Value], options: FitOptions) -> float:
        assert options.checkpoints is not None
        options.checkpoints.mkdir()
        (options.checkpoints / "weights").write_bytes(b"w")
        return hill(values, options)

    tune(sims(), objective, FitOptions(checkpoints=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["study.db"]
