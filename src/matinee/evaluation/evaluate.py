"""Run a protocol: split, fit, score in bounded batches, and report the metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.errors import DataProblem
from matinee.evaluation.metrics import (
    PERSONALIZE_NAMES,
    DoubleArray,
    coverage,
    ranking_metrics,
    top_items,
)
from matinee.evaluation.splits import PROTOCOLS, Split
from matinee.models.base import FitOptions, ItemFeatures, Model, RelatedItemsModel
from matinee.models.histories import rows_of

#: Histories (batch) in, scores (batch, n_items) out; may be written to.
Scorer = Callable[[Histories], FloatArray]

#: Scores held at once: 2²³ float32 values, 32 MB.
_SCORES_AT_ONCE = 2**23


@dataclass(frozen=True)
class Result:
    """What one evaluation found. `per_case` holds each ranking metric for each case, `metrics` their means."""

    protocol: str
    seed: int
    cases: int
    metrics: Mapping[str, float]
    per_case: Mapping[str, DoubleArray] = field(repr=False)
    train_seconds: float = 0.0
    test_seconds: float = 0.0

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
    result = measure(split, scorer(model) if scorer else model.score, exclude_seen=exclude_seen)
    return Result(
        protocol=protocol,
        seed=seed,
        cases=result.cases,
        metrics=result.metrics,
        per_case=result.per_case,
        train_seconds=trained - started,
        test_seconds=time.perf_counter() - trained,
    )


def measure(split: Split, score: Scorer, *, exclude_seen: bool) -> Result:
    """The metrics of a scorer on the cases of `split`.

    With `exclude_seen`, items of the input are neither listed nor asked for; a case that asks for nothing else is
    left out. Coverage counts the lists of 25 over the split's whole catalogue.
    """
    n_items = split.log.n_items
    batch = max(1, min(512, _SCORES_AT_ONCE // max(1, n_items)))
    recommended = np.zeros(n_items, np.bool_)
    hits, relevant = [], []
    for begin in range(0, len(split), batch):
        end = min(begin + batch, len(split))
        inputs, truths = split.inputs(begin, end), split.truths(begin, end)
        scores = score(inputs)
        wanted = np.zeros((end - begin, n_items), np.bool_)
        wanted[rows_of(truths.indptr), truths.items] = True
        if exclude_seen:
            seen = rows_of(inputs.indptr), inputs.items
            scores[seen] = -np.inf
            wanted[seen] = False
        ranked = top_items(scores)
        recommended[ranked[ranked >= 0]] = True
        hits.append(np.take_along_axis(wanted, np.maximum(ranked, 0), axis=1) & (ranked >= 0))
        relevant.append(wanted.sum(axis=1))
    asked = np.concatenate(relevant) if relevant else np.zeros(0, np.int64)
    if not asked.any():
        raise DataProblem(
            f"There is nothing to test on under the protocol {split.protocol}.",
            fix="It needs users with at least two interactions; import more interactions.",
        )
    per_case = ranking_metrics(np.concatenate(hits)[asked > 0], asked[asked > 0])
    means = {name: float(values.mean()) for name, values in per_case.items()}
    return Result(split.protocol, 0, int((asked > 0).sum()), {**means, "coverage": coverage(recommended)}, per_case)


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
