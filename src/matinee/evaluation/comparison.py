"""Several models on the same cases over several seeds: what each lists, summed up so that it can be compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, Interactions
from matinee.errors import DataProblem
from matinee.evaluation.beyond import exposure, per_case
from matinee.evaluation.case_segments import segments
from matinee.evaluation.evaluate import asked_with_inputs, newest_item
from matinee.evaluation.intervals import GROUPS, Sums
from matinee.evaluation.lists import CaseScorer, Lists, make_lists
from matinee.evaluation.memory import forget_peak, peak_memory_mb
from matinee.evaluation.recent_popularity import DAYS, live_popularity
from matinee.evaluation.splits import PROTOCOLS, Split
from matinee.models.base import FitOptions, ItemFeatures, Model, Progress
from matinee.models.popularity import Popularity, PopularityConfig


def _whole_history(model: Model, split: Split) -> CaseScorer:
    return asked_with_inputs(split, model.score, model.recent_days)


def _everything(data: Interactions) -> Interactions:
    return data


@dataclass(frozen=True)
class Contender:
    """What takes part: how a model is made, on which of the training events it is fitted, and how it is asked.

    `about` says in JSON-ready values what was run: model, configuration, what it is asked with.
    """

    name: str
    make: Callable[[], Model]
    ask: Callable[[Model, Split], CaseScorer] = _whole_history
    select: Callable[[Interactions], Interactions] = _everything
    about: Mapping[str, Any] = field(default_factory=dict)


def yardsticks(protocol: str) -> tuple[Contender, Contender]:
    """What is always measured beside: popularity, and popularity of the last 7 days.

    Under `temporal` the latter is live: counted up to the moment of each case. The other protocols have no such
    moment; there it counts the last 7 days of training.
    """
    recent = Contender(
        f"popular-last-{DAYS}-days",
        lambda: Popularity(PopularityConfig(window_days=DAYS)),
        about={"model": "popularity", "config": {"window_days": DAYS}, "live": protocol == "temporal"},
    )
    if protocol == "temporal":
        recent = replace(recent, ask=lambda _, split: live_popularity(split))
    return Contender("popularity", Popularity, about={"model": "popularity", "config": {}}), recent


@dataclass(frozen=True)
class Run:
    """One contender under one seed. `names` are the metrics of `sums`; `listed` (groups, n_items) counts exposure by
    group of users; `segments` holds the sums of each segment's own metrics."""

    seed: int
    cases: int
    names: tuple[str, ...]
    sums: Sums
    segments: Mapping[str, Sums]
    listed: NDArray[np.int64]
    train_seconds: float
    test_seconds: float
    peak_memory_mb: float

    def mean(self, name: str) -> float:
        """The mean of a metric over the cases."""
        return float(self.sums.means[self.names.index(name)])


def compare(
    log: Interactions,
    protocol: str,
    contenders: Sequence[Contender],
    *,
    seeds: range,
    exclude_seen: bool,
    options: FitOptions,
    features: ItemFeatures | None = None,
    on_run: Callable[[Contender, Run], None] = lambda contender, run: None,
) -> dict[str, list[Run]]:
    """Every contender on every seed, by name. The seed draws the split, where the protocol draws one, and the fit.

    Raises `DataProblem` when the log is too small for the protocol, `JobStopped` when asked to stop, and what a fit
    raises.
    """
    if not len(log):
        raise DataProblem("There is no event to evaluate on.", fix="Check --threshold and --event-type.")
    found: dict[str, list[Run]] = {contender.name: [] for contender in contenders}
    for seed in seeds:
        split = PROTOCOLS[protocol](log, seed)
        if not len(split.train):
            raise DataProblem(
                f"The protocol {protocol} leaves nothing to train on.",
                fix="personalize and leave-one-out need more users or events, temporal events at different times.",
            )
        for contender in contenders:
            run = run_one(contender, split, replace(options, seed=seed), features, exclude_seen=exclude_seen)
            found[contender.name].append(run)
            on_run(contender, run)
    return found


def run_one(
    contender: Contender, split: Split, options: FitOptions, features: ItemFeatures | None, *, exclude_seen: bool
) -> Run:
    """Fit a contender on the training part and sum up what it lists; the peak memory is that of fit and lists."""
    forget_peak()
    started = time.perf_counter()
    model = contender.make().fit(contender.select(split.train), features, options)
    trained = time.perf_counter()
    score = _watched(contender.ask(model, split), len(split), options)
    lists = make_lists(split, score, exclude_seen=exclude_seen)
    done = time.perf_counter()
    run = sum_up(split, lists, options.seed)
    peak = peak_memory_mb()
    return replace(run, train_seconds=trained - started, test_seconds=done - trained, peak_memory_mb=peak)


def sum_up(split: Split, lists: Lists, seed: int) -> Run:
    """A run from its lists, whatever made them; without times and memory."""
    _, ranking = lists.metrics()
    values = {**ranking, **per_case(lists, split.train)}
    user = split.user[lists.case]
    n_users = split.log.n_users
    listed = np.stack([exposure(lists.ranked[user % GROUPS == group], lists.n_items) for group in range(GROUPS)])
    parts = {name: Sums.of(user[rows], part, n_users) for name, (rows, part) in segments(split, lists).items()}
    sums = Sums.of(user, values, n_users)
    return Run(seed, len(lists), tuple(values), sums, parts, listed, 0.0, 0.0, 0.0)


def _watched(score: CaseScorer, cases: int, options: FitOptions) -> CaseScorer:
    """`score`, with progress reported and a request to stop heard between batches."""

    def watched(begin: int, end: int) -> FloatArray:
        options.raise_if_stopped()
        scores = score(begin, end)
        options.on_progress(Progress(end / max(1, cases), f"asked {end:,} of {cases:,} cases"))
        return scores

    return watched


def newest_items(model: Model, split: Split) -> CaseScorer:
    """Asks a related-items model with the newest item of each input, as its campaign is called."""
    return asked_with_inputs(split, newest_item(model))
