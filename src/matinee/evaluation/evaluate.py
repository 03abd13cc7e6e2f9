"""Run a protocol: split, fit, score in bounded batches, and report the metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from matinee.data.interactions import FloatArray, Histories, Interactions, LongArray
from matinee.evaluation.lists import Lists, Scorer, make_lists
from matinee.evaluation.metrics import PERSONALIZE_NAMES, DoubleArray, coverage
from matinee.evaluation.splits import PROTOCOLS, Split
from matinee.models.base import FitOptions, ItemFeatures, Model, RelatedItemsModel
from matinee.models.recent import EventsInTime

__all__ = ["Result", "Scorer", "evaluate", "measure", "measure_lists", "newest_item", "personalize_metrics"]


@dataclass(frozen=True)
class Result:
    """What one evaluation found. `per_case` holds each ranking metric for each case, `metrics` their means.

    `user` (cases,) is the user of each case.
    """

    protocol: str
    seed: int
    cases: int
    metrics: Mapping[str, float]
    per_case: Mapping[str, DoubleArray] = field(repr=False)
    train_seconds: float = 0.0
    test_seconds: float = 0.0
    user: LongArray = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)

    def personalize(self) -> dict[str, float]:
        """The metrics under the names of GetSolutionMetrics, with the 4 decimals that the service gives."""
        return {name: round(self.metrics[ours], 4) for name, ours in PERSONALIZE_NAMES.items()}


def evaluate(
    make_model: Callable[[], Model],
    interactions: Interactions,
    protocol: str = "personalize",
    *,
    seed: int = 0,
    exclude_seen: bool = True,
    features: ItemFeatures | None = None,
    options: FitOptions | None = None,
    scorer: Callable[[Model], Scorer] | None = None,
) -> Result:
    """Fit the model that `make_model` gives on the training part of `protocol` and measure it on the rest.

    `exclude_seen` keeps items of the input out of the lists. `scorer` says how the model is asked, by default with
    whole histories; see `newest_item`. Raises `DataProblem` when the log is too small for the protocol.
    """
    split = PROTOCOLS[protocol](interactions, seed)
    started = time.perf_counter()
    model = make_model().fit(split.train, features, options or FitOptions())
    trained = time.perf_counter()
    score, days = (scorer(model), None) if scorer else (model.score, model.recent_days)
    result = measure(split, score, exclude_seen=exclude_seen, recent_days=days)
    return Result(
        protocol=protocol,
        seed=seed,
        cases=result.cases,
        metrics=result.metrics,
        per_case=result.per_case,
        train_seconds=trained - started,
        test_seconds=time.perf_counter() - trained,
        user=result.user,
    )


def measure(split: Split, score: Scorer, *, exclude_seen: bool, recent_days: float | None = None) -> Result:
    """The metrics of a scorer on the cases of `split`, asked as by `asked_with_inputs`.

    With `exclude_seen`, items of the input are neither listed nor asked for; a case that asks for nothing else is
    left out. Coverage counts the lists of 25 over the split's whole catalogue. Raises `DataProblem` when no case asks
    for anything.
    """
    asked = asked_with_inputs(split, score, recent_days)
    return measure_lists(split, make_lists(split, asked, exclude_seen=exclude_seen))


def measure_lists(split: Split, lists: Lists) -> Result:
    """The metrics of lists, whatever made them."""
    _, per_case = lists.metrics()
    recommended = np.zeros(lists.n_items, np.bool_)
    recommended[lists.ranked[lists.ranked >= 0]] = True
    means = {name: float(values.mean()) for name, values in per_case.items()}
    metrics = {**means, "coverage": coverage(recommended)}
    return Result(split.protocol, 0, len(lists), metrics, per_case, user=split.user[lists.case])


def asked_with_inputs(
    split: Split, score: Scorer, recent_days: float | None = None
) -> Callable[[int, int], FloatArray]:
    """A scorer of histories as a scorer of the split's cases.

    Where the split is timed, each case brings what had happened in the `recent_days` days before the event that it
    asks for, that second excluded, as a server would have counted it.
    """
    if recent_days is None or not split.timed:
        return lambda begin, end: score(split.inputs(begin, end))
    log, asked = EventsInTime.of(split.log), split.log.timestamp[split.truth_start]

    def score_with_recent(begin: int, end: int) -> FloatArray:
        return score(replace(split.inputs(begin, end), recent=log.counted(asked[begin:end], recent_days)))

    return score_with_recent


def personalize_metrics(split: Split, score: Scorer, *, exclude_seen: bool = False) -> dict[str, float]:
    """What GetSolutionMetrics returns for a model trained on `split.train`: the service's names, 4 decimals.

    The service does not say whether seen items are listed in its own measure; `exclude_seen` chooses.
    """
    return measure(split, score, exclude_seen=exclude_seen).personalize()


def newest_item(model: Model) -> Scorer:
    """A scorer that asks a related-items model with the newest item of each history, as its campaign is called.

    An empty history asks with no item, which gives popular items.
    """
    if not isinstance(model, RelatedItemsModel):
        raise TypeError(f"{model.name} does not relate items")

    def score(histories: Histories) -> FloatArray:
        last = np.full(len(histories), -1, np.int32)
        some = np.diff(histories.indptr) > 0
        last[some] = histories.items[histories.indptr[1:][some] - 1]
        return model.score_related(last)

    return score
