"""Ranking metrics by Amazon Personalize's definitions, from ranked lists and the items that should be found.

`ranked` (cases, K) holds item numbers, best first, -1 where a list is shorter. `relevant` holds for every case the
distinct items to be found. A metric is computed for each case, (cases,), and averaged by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, IntArray

#: The longest list that is looked at, also the one that coverage counts.
LIST_LENGTH = 25
CUTOFFS = (5, 10, 25)

DoubleArray = NDArray[np.float64]


def top_items(scores: FloatArray, count: int = LIST_LENGTH) -> IntArray:
    """The `count` best items of each row of `scores` (rows, n_items): (rows, count), best first, then by item number.

    Items with -inf are never listed; a shorter list ends in -1.
    """
    count_here = min(count, scores.shape[1])
    found = np.argpartition(-scores, count_here - 1, axis=1)[:, :count_here]
    values = np.take_along_axis(scores, found, axis=1)
    order = np.lexsort((found, -values), axis=1)
    ranked = np.full((len(scores), count), -1, np.int32)
    ranked[:, :count_here] = np.take_along_axis(found, order, axis=1)
    ranked[:, :count_here][np.isneginf(np.take_along_axis(values, order, axis=1))] = -1
    return ranked


def ranking_metrics(hits: NDArray[np.bool_], relevant: NDArray[np.int64]) -> Mapping[str, DoubleArray]:
    """Every metric for every case, each (cases,), from `hits` (cases, 25) and the number of `relevant` items (cases,).

    - mrr_at_25: 1 / rank of the first hit, 0 without one
    - ndcg_at_K: Σ over hits 1/log2(1 + rank), over the ideal sum for min(relevant, K) items
    - precision_at_K: hits in the top K / K; recall_at_K: hits in the top K / relevant
    - hit_rate_at_K: 1 when there is a hit in the top K
    """
    discount = 1.0 / np.log2(2.0 + np.arange(hits.shape[1]))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])
    first = np.where(hits.any(axis=1), hits.argmax(axis=1), -1)
    metrics: dict[str, DoubleArray] = {"mrr_at_25": np.where(first >= 0, 1.0 / (first + 1.0 + (first < 0)), 0.0)}
    for cutoff in CUTOFFS:
        top = hits[:, :cutoff]
        found = top.sum(axis=1)
        metrics[f"ndcg_at_{cutoff}"] = (top @ discount[:cutoff]) / ideal[np.minimum(relevant, cutoff)]
        metrics[f"precision_at_{cutoff}"] = found / cutoff
        metrics[f"recall_at_{cutoff}"] = found / relevant
        metrics[f"hit_rate_at_{cutoff}"] = (found > 0).astype(np.float64)
    return metrics


def coverage(recommended: NDArray[np.bool_]) -> float:
    """The share of the catalogue that is in at least one list; `recommended` (n_items,) says which items are."""
    return float(recommended.mean()) if len(recommended) else 0.0


#: Metric names of GetSolutionMetrics and the names used here.
PERSONALIZE_NAMES: Mapping[str, str] = {
    "coverage": "coverage",
    "mean_reciprocal_rank_at_25": "mrr_at_25",
    **{f"normalized_discounted_cumulative_gain_at_{k}": f"ndcg_at_{k}" for k in CUTOFFS},
    **{f"precision_at_{k}": f"precision_at_{k}" for k in CUTOFFS},
}
