"""Metrics of action recommendations: order (AUC), honest probabilities (Brier, calibration), what is recommended."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, IntArray

Flags = NDArray[np.bool_]
#: Actions of one answer when the caller does not say how many (spec 7.3).
LIST_LENGTH = 5
_BINS = 10


def area_under_curve(scores: FloatArray, taken: Flags) -> float:
    """The chance that a taken one scores above one that is not; ties count half. 0.5 when all went the same way."""
    positives, negatives = int(taken.sum()), int((~taken).sum())
    if not positives or not negatives:
        return 0.5
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[inverse][taken].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def brier(probabilities: FloatArray, truth: FloatArray | Flags) -> float:
    """The mean squared difference of probabilities and outcomes (or true probabilities)."""
    return float(np.square(np.asarray(probabilities, np.float64) - np.asarray(truth, np.float64)).mean())


def calibration_error(probabilities: FloatArray, taken: FloatArray | Flags) -> float:
    """The expected calibration error over at most 10 bins of about equal numbers; equal probabilities share a bin."""
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, _BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, probabilities, side="right")
    gaps = np.asarray(probabilities, np.float64) - np.asarray(taken, np.float64)
    return float(np.abs(np.bincount(bins, gaps)).sum() / max(1, len(gaps)))


def action_metrics(
    action: IntArray, scores: FloatArray, recommended: Flags, taken: Flags, n_actions: int
) -> dict[str, float]:
    """The metrics of GetSolutionMetrics, to 4 decimals, from one row for each case (n,): the action that was shown,
    its score, whether it was among the recommended ones, and whether it was taken.

    Precision is taken ÷ recommended, recall is found ÷ taken; both for each action that has any, then averaged.
    """
    found = np.bincount(action[recommended & taken], minlength=n_actions)
    told, came = np.bincount(action[recommended], minlength=n_actions), np.bincount(action[taken], minlength=n_actions)
    values = {
        "coverage": float((told > 0).mean()) if n_actions else 0.0,
        "precision": float((found[told > 0] / told[told > 0]).mean()) if told.any() else 0.0,
        "recall": float((found[came > 0] / came[came > 0]).mean()) if came.any() else 0.0,
        "auc": area_under_curve(scores, taken),
    }
    return {name: round(value, 4) for name, value in values.items()}
