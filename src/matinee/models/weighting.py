"""How much each part of a blend counts: weights that rank a validation part best, and a scale that fits it best."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from matinee.data.interactions import FloatArray
from matinee.models.histories import rows_of
from matinee.models.validation import Validation

#: Weights are tried in steps of 1/20, all that sum to 1: 1,771 of them for four parts; of more parts in steps of 1/10.
_STEPS, _COARSE_STEPS, _MANY_PARTS = 20, 10, 5
#: How far below the best weights others count 1/e as much: in median standard errors of the difference to the best.
_DOUBT = 0.5
#: Only items among so many best of a part are ranked: no other reaches the top 10 of a weighted sum, in practice.
_CANDIDATES = 50
_CUTOFF = 10
#: The softmax's scale is looked for between these.
_SCALES = (0.05, 20.0)


@dataclass(frozen=True)
class Candidates:
    """What is ranked: `scores` (parts, cases, candidates), -inf where hidden; `wanted` (cases, candidates)."""

    scores: FloatArray
    wanted: NDArray[np.bool_]
    ideal: NDArray[np.float64]

    @classmethod
    def of(cls, parts: FloatArray, hidden: NDArray[np.bool_], validation: Validation) -> Candidates:
        """The best items of each part among those not `hidden` (cases, n_items)."""
        shown = np.where(hidden, -np.inf, parts)
        count = min(_CANDIDATES, parts.shape[2])
        best = np.concatenate(np.argpartition(-shown, count - 1, axis=2)[:, :, :count], axis=1)
        best.sort(axis=1)
        repeated = np.zeros(best.shape, np.bool_)
        repeated[:, 1:] = best[:, 1:] == best[:, :-1]
        scores = np.take_along_axis(shown, best[None], axis=2)
        scores[:, repeated] = -np.inf
        wanted = np.zeros(hidden.shape, np.bool_)
        wanted[rows_of(validation.truth.indptr), validation.truth.items] = True
        asked = np.diff(validation.truth.indptr)
        discount = np.concatenate([[0.0], np.cumsum(1 / np.log2(2.0 + np.arange(_CUTOFF)))])
        return cls(scores, np.take_along_axis(wanted, best, axis=1), discount[np.minimum(asked, _CUTOFF)])

    def ndcg(self, weights: FloatArray) -> NDArray[np.float64]:
        """NDCG@10 of the sum weighted by `weights` (parts,) for each case that asks for something."""
        # A part of weight 0 would turn -inf into nan.
        used = weights > 0
        scores = np.tensordot(weights[used], self.scores[used], axes=1)
        count = min(_CUTOFF, scores.shape[1])
        top = np.argpartition(-scores, count - 1, axis=1)[:, :count]
        top = np.take_along_axis(
            top, np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable"), axis=1
        )
        hits = np.take_along_axis(self.wanted & np.isfinite(scores), top, axis=1)
        gain = hits @ (1 / np.log2(2.0 + np.arange(count)))
        asked = self.ideal > 0
        found: NDArray[np.float64] = gain[asked] / self.ideal[asked]
        return found


def fit_weights(parts: FloatArray, hidden: NDArray[np.bool_], validation: Validation) -> FloatArray:
    """Weights (parts,) of standardised scores `parts` (parts, cases, n_items); items `hidden` (cases, n_items) aside.

    Their direction is `believed`; their length the one under which softmax(Σ w s) makes the truth most likely.
    """
    candidates = Candidates.of(parts, hidden, validation)
    tried = simplex(len(parts), _COARSE_STEPS if len(parts) >= _MANY_PARTS else _STEPS)
    weights = believed(tried, np.stack([candidates.ndcg(weights) for weights in tried]))
    return weights * np.float32(fit_scale(np.tensordot(weights, parts, axes=1), hidden, validation))


def believed(tried: FloatArray, ndcg: NDArray[np.float64]) -> FloatArray:
    """The mean of the weights `tried` (n, parts), each by how well it can hold against the best: (parts,).

    `ndcg` (n, cases). One that is d below the best counts exp(-d / (e/2)), e being the median over all tried of the
    standard error of their difference to the best, case by case. Where cases are few, much is as good as the best, and
    the mean is one of many parts, which is what helps then; of many cases a part that is best alone stays alone.
    """
    means = ndcg.mean(axis=1)
    best = int(means.argmax())
    errors = (ndcg - ndcg[best]).std(axis=1) / np.sqrt(ndcg.shape[1])
    belief = np.exp((means - means[best]) / max(_DOUBT * float(np.median(errors)), 1e-9))
    weights: FloatArray = (belief @ tried / belief.sum()).astype(np.float32)
    return weights


def simplex(parts: int, steps: int) -> FloatArray:
    """All non-negative weights (n, parts) in steps of 1/`steps` that sum to 1."""
    bars = np.array(list(combinations(range(steps + parts - 1), parts - 1)), np.int64)
    bars = bars.reshape(len(bars), parts - 1)
    edges = np.concatenate([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), steps + parts - 1)], axis=1)
    weights: FloatArray = ((np.diff(edges, axis=1) - 1) / steps).astype(np.float32)
    return weights


def fit_scale(scores: FloatArray, hidden: NDArray[np.bool_], validation: Validation) -> float:
    """The factor on `scores` (cases, n_items) under which their softmax makes the truth most likely."""
    row, item = rows_of(validation.truth.indptr), validation.truth.items
    asked = np.diff(validation.truth.indptr)
    shown = np.where(hidden, -np.inf, scores)
    shown = shown - shown.max(axis=1, keepdims=True)
    wanted = float(shown[row, item].sum())

    def loss(log_scale: float) -> float:
        scale = np.exp(log_scale)
        return float(np.log(np.exp(shown * scale).sum(axis=1)) @ asked - scale * wanted)

    found = optimize.minimize_scalar(loss, bounds=tuple(np.log(_SCALES)), method="bounded")
    return float(np.exp(found.x))
