"""Hyperparameter optimisation: a study of Optuna's whose finished trials outlive the process that ran them."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy as sa
from optuna.trial import FrozenTrial, Trial, TrialState

from matinee.models.base import FitOptions, Progress
from matinee.recipes.parameters import Value
from matinee.recipes.recipe import Kind
from matinee.recipes.tuning import Range, Search, on_the_wire

#: What a training with these values reaches on the validation part; higher is better. Called with options of its own.
Objective = Callable[[Mapping[str, Value], FitOptions], float]

#: What a training reports after each epoch, by which a hopeless one is cut short.
PRUNED_BY = "ndcg_at_10"
#: Trials that run to their end whatever they report, and epochs after which one may be cut short.
_WHOLE_TRIALS, _WHOLE_EPOCHS = 3, 2
#: The share of trials, and their least number, that are drawn at random before the sampler learns from them.
_RANDOM_SHARE, _RANDOM_LEAST = 0.25, 3
_STUDY, _STUDY_FILE = "study", "study.db"
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class TriedOut:
    """One trial: its values as the wire has them, what it reached, and whether it was cut short."""

    parameters: Mapping[str, str]
    value: float
    pruned: bool
    epochs: int
    seconds: float


@dataclass(frozen=True)
class Tuning:
    """The outcome of a study: the best values, as the wire has them, and every trial in the order of their start."""

    parameters: Mapping[str, str]
    value: float
    trials: tuple[TriedOut, ...]

    @property
    def seconds(self) -> float:
        """What all trials took together, those of earlier attempts included."""
        return sum(trial.seconds for trial in self.trials)

    def describe(self) -> dict[str, Any]:
        """JSON-ready, for the manifest; times are left out, so that equal studies are described equally."""
        told = [{name: value for name, value in asdict(one).items() if name != "seconds"} for one in self.trials]
        return {"best": dict(self.parameters), "value": self.value, "trials": told}


def tune(search: Search, objective: Objective, options: FitOptions, *, parallel: int = 1) -> Tuning:
    """Look for the values with the highest `objective`; `parallel` trials at a time, at most as many as are asked for.

    The first trial takes `search.start`. With `options.checkpoints` the study is kept there: the same study, started
    again after a kill, repeats no finished trial and takes up those that were cut short. One trial at a time is
    deterministic by `options.seed`. Raises `JobStopped` when asked to stop.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with _stored_study(options.checkpoints) as study:
        run = _Run(study, search, objective, options)
        run.prepare()
        workers = max(1, min(parallel, search.parallel, search.trials))
        if workers == 1:
            run.work()
        else:
            with ThreadPoolExecutor(workers) as pool:
                for future in [pool.submit(run.work) for _ in range(workers)]:
                    future.result()
        options.raise_if_stopped()
        return run.outcome()


@contextmanager
def _stored_study(folder: Path | None) -> Iterator[optuna.Study]:
    """The study in `folder`, or one in memory. SQLite holds plain values, and a kill leaves it whole."""
    pruner = optuna.pruners.MedianPruner(_WHOLE_TRIALS, _WHOLE_EPOCHS)
    if folder is None:
        yield optuna.create_study(direction="maximize", pruner=pruner)
        return
    folder.mkdir(parents=True, exist_ok=True)
    url = sa.URL.create("sqlite", database=str(folder / _STUDY_FILE)).render_as_string()
    storage = optuna.storages.RDBStorage(url)
    try:
        yield optuna.create_study(
            storage=storage, study_name=_STUDY, direction="maximize", pruner=pruner, load_if_exists=True
        )
    finally:
        storage.remove_session()
        storage.engine.dispose()


class _Run:
    """One attempt at a study; workers share it."""

    def __init__(self, study: optuna.Study, search: Search, objective: Objective, options: FitOptions) -> None:
        self.study, self.search, self.objective, self.options = study, search, objective, options
        self.begun = 0
        self.best = float("-inf")
        self.fractions: dict[int, float] = {}
        self.abandoned = False
        self._lock = threading.RLock()

    def prepare(self) -> None:
        """Put in the queue what must be tried: at first the start and, where they are few, all values there are; in a
        later attempt what was cut short, with what it had reported."""
        for trial in self.study.get_trials(states=(TrialState.RUNNING,)):
            self.study.enqueue_trial(trial.params, {"reported": trial.intermediate_values})
            self.study.tell(trial.number, state=TrialState.FAIL)
        for trial in self.study.get_trials(states=_FINISHED):
            self._ended(trial)
        if not self.study.trials:
            self.study.enqueue_trial(dict(self.search.start))
            if self.search.trials < self.search.jobs:
                for values in itertools.product(*(one.values() for one in self.search.ranges)):
                    given = {one.name: value for one, value in zip(self.search.ranges, values, strict=True)}
                    if given != self.search.start:
                        self.study.enqueue_trial(given)

    def work(self) -> None:
        """Carry out trials until there are enough."""
        try:
            while (begun := self._next()) is not None:
                self._carry_out(*begun)
        except BaseException:
            self.abandoned = True
            raise

    def outcome(self) -> Tuning:
        """What was found. A study has at least one trial that ran to its end: the first few always do."""
        best = self.study.best_trial
        return Tuning(
            parameters=_wire(best.params),
            value=float(best.value or 0.0),
            trials=tuple(_tried_out(trial) for trial in self.study.get_trials(states=_FINISHED)),
        )

    def _next(self) -> tuple[int, Trial, dict[str, Value]] | None:
        """The next trial's number among all, the trial and its values."""
        with self._lock:
            if self.begun >= self.search.trials or self.abandoned:
                return None
            self.options.raise_if_stopped()
            number = self.begun = self.begun + 1
            random = max(_RANDOM_LEAST, round(_RANDOM_SHARE * self.search.jobs))
            # A sampler of its own for each trial: what it draws is the same in one attempt and after a kill.
            seed = self.options.seed * 1_000_003 + number
            self.study.sampler = optuna.samplers.TPESampler(n_startup_trials=random, seed=seed)
            trial = self.study.ask()
            values = {one.name: _suggest(trial, one) for one in self.search.ranges}
            return number, trial, values

    def _carry_out(self, number: int, trial: Trial, values: Mapping[str, Value]) -> None:
        """One trial: measured, cut short, or answered by an equal one, since equal trainings give equal results."""
        started = time.monotonic()
        twin = next((one for one in self.study.get_trials(states=_FINISHED) if one.params == trial.params), None)
        state, value = TrialState.COMPLETE, None
        if twin is not None:
            state, value = twin.state, twin.value if twin.state is TrialState.COMPLETE else None
            for epoch, reached in twin.intermediate_values.items():
                trial.report(reached, epoch)
        else:
            try:
                value = self.objective(values, self._options(number, trial, values))
            except optuna.TrialPruned:
                state = TrialState.PRUNED
        trial.set_user_attr("seconds", round(time.monotonic() - started, 3))
        with self._lock:
            self._ended(self.study.tell(trial, value, state))
            self._report(number, Progress(1.0, "pruned" if value is None else f"reached {value:.4f}"))
        shutil.rmtree(self._folder(values) or "", ignore_errors=True)

    def _ended(self, trial: FrozenTrial) -> None:
        """Count a finished trial of an earlier attempt, and remember the best value."""
        self.begun = max(self.begun, len(self.study.get_trials(deepcopy=False, states=_FINISHED)))
        if trial.state is TrialState.COMPLETE and trial.value is not None:
            self.best = max(self.best, trial.value)

    def _options(self, number: int, trial: Trial, values: Mapping[str, Value]) -> FitOptions:
        """What the training of one trial is given: its own checkpoints, and ears for the pruner."""
        before: Mapping[str, float] = trial.user_attrs.get("reported", {})
        reported = {int(step): value for step, value in before.items()}
        for step, value in reported.items():
            trial.report(value, step)

        def listen(step: Progress) -> None:
            self._report(number, step)
            epoch, value = int(step.metrics.get("epoch", 0)), step.metrics.get(PRUNED_BY)
            if value is None or epoch in reported:
                return
            reported[epoch] = value
            trial.report(value, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        def should_stop() -> bool:
            return self.abandoned or self.options.should_stop()

        return replace(self.options, on_progress=listen, should_stop=should_stop, checkpoints=self._folder(values))

    def _folder(self, values: Mapping[str, Value]) -> Path | None:
        """Where the training with these values keeps its checkpoints."""
        if self.options.checkpoints is None:
            return None
        name = hashlib.sha256(json.dumps(dict(values), sort_keys=True).encode()).hexdigest()[:16]
        return self.options.checkpoints / name

    def _report(self, number: int, step: Progress) -> None:
        """Pass on a step of a trial as one of the study."""
        with self._lock:
            self.fractions[number] = step.fraction
            earlier = self.begun - len(self.fractions)
            done = (earlier + sum(self.fractions.values())) / self.search.trials
            best = {} if self.best == float("-inf") else {"best": self.best}
            so_far = f"; best so far {self.best:.4f}" if best else ""
            message = f"trial {number} of {self.search.trials}: {step.message}{so_far}"
            metrics = {**step.metrics, "trial": float(number), **best}
            self.options.on_progress(Progress(min(1.0, done), message, None, metrics))


def _suggest(trial: Trial, one: Range) -> Value:
    """The trial's value of one parameter."""
    if one.choices:
        drawn = trial.suggest_categorical(one.name, list(one.choices))
        return next(value for value in one.choices if value == drawn)
    if one.parameter.kind is Kind.INTEGER:
        return trial.suggest_int(one.name, int(one.low), int(one.high))
    return trial.suggest_float(one.name, one.low, one.high)


def _wire(parameters: Mapping[str, Any]) -> dict[str, str]:
    return {name: on_the_wire(value) for name, value in sorted(parameters.items())}


def _tried_out(trial: FrozenTrial) -> TriedOut:
    """A finished trial; what a pruned one reached is its last report."""
    pruned = trial.state is TrialState.PRUNED
    value = trial.intermediate_values[max(trial.intermediate_values)] if pruned else float(trial.value or 0.0)
    seconds = float(trial.user_attrs.get("seconds", 0.0))
    return TriedOut(_wire(trial.params), value, pruned, len(trial.intermediate_values), seconds)
