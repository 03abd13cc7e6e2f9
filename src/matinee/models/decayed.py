"""The normal equations of histories that fade: what each event is preceded by, at several time scales, in blocks.

With x_t^g = Σ_{k≥0} g^k e(i_{t-1-k}) for a decay g and w_t how much event t counts, least squares needs
A_gh = Σ_t w_t x_t^g (x_t^h)ᵀ and b_g = Σ_t w_t x_t^g e(i_t)ᵀ. Summed over t first, events s < r of one history
add g^(r-s) h_gh(r) to A_gh[i_s, i_r] and g^(r-s-1) w_r to b_g[i_s, i_r], where h_gh(r) = Σ_{t>r} (g h)^(t-1-r) w_t:
every pair is looked at once, whatever the time scales.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from matinee.data.interactions import FloatArray, IntArray, Interactions, LongArray
from matinee.models.base import FitOptions, Progress

#: Pairs of events, and sums, that are held at once: about 150 MB together.
_PAIRS_AT_ONCE, _SUMS_AT_ONCE = 2**21, 2**22
#: A power below it is lost in the rounding of float32, and left out.
_NOTHING = 2.0**-24
_TILE = 1024


@dataclass(frozen=True)
class NormalEquations:
    """`gram` (S n, S n) with A in its lower triangle, blocks by time scale; `cross` (n, S n) is bᵀ."""

    gram: FloatArray
    cross: FloatArray


def normal_equations(
    data: Interactions, column: IntArray, n: int, decays: tuple[float, ...], reach: int, options: FitOptions
) -> NormalEquations:
    """A and b over the items whose `column` (n_items,) is not -1, of which there are `n`.

    A history longer than `reach` is read in stretches of that many events. Costs `reach` / 2 pairs an event at most,
    and memory for what is returned.
    """
    scales = len(decays)
    gram = np.zeros((scales * n, scales * n), np.float32)
    cross = np.zeros((n, scales * n), np.float32)
    sequences = _Sequences.of(data, column, decays, reach)
    for progress, source, target, lag, later in sequences.pairs(n):
        options.raise_if_stopped()
        first, last = int(source[0]), int(source[-1]) + 1
        cell, shape = (source - first).astype(np.int64) * n + target, (last - first, n)
        for a in range(scales):
            rows, power = slice(a * n + first, a * n + last), sequences.powers[a]
            near = np.flatnonzero(lag < len(power))
            lags, rest, at = lag[near], later[near], cell[near]
            cross[:, rows] += _summed(at, power[lags - 1] * sequences.weight[rest], shape).T
            for b in range(scales):
                gram[rows, b * n : (b + 1) * n] += _summed(at, power[lags] * sequences.following(a, b)[rest], shape)
        options.on_progress(Progress(progress, f"ridge: {last:,} of {n:,} items"))
    _add_transposed(gram, options)
    for a in range(scales):
        for b in range(a + 1):
            own = np.bincount(column[data.item] + 1, sequences.following(a, b), minlength=n + 1)[1:]
            gram[np.arange(a * n, (a + 1) * n), np.arange(b * n, (b + 1) * n)] += own.astype(np.float32)
    return NormalEquations(gram, cross)


def _summed(cell: LongArray, values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """`values` (pairs,) summed by `cell` of an array of that shape."""
    return np.bincount(cell, values, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float32)


@dataclass(frozen=True)
class _Sequences:
    """A log as stretches; arrays are (events,): `column` of the item, `end` one past the stretch's last row, `weight`.

    `powers[a][l]` is decays[a]^l, up to the last l that counts; `after[a][b]` is h_ab of each row for b ≤ a.
    """

    column: IntArray
    end: LongArray
    weight: FloatArray
    powers: tuple[FloatArray, ...]
    after: tuple[tuple[FloatArray, ...], ...]

    @classmethod
    def of(cls, data: Interactions, column: IntArray, decays: tuple[float, ...], reach: int) -> _Sequences:
        rows = np.arange(len(data))
        begin = data.indptr[data.user]
        begin += (rows - begin) // reach * reach
        end = np.minimum(begin + reach, data.indptr[1:][data.user])
        weight = np.ones(len(data), np.float32) if data.weight is None else data.weight
        lags = [min(reach, faded_after(decay, _NOTHING)) for decay in decays]
        powers = tuple(
            np.power(decay, np.arange(most + 1)).astype(np.float32) for decay, most in zip(decays, lags, strict=True)
        )
        after = tuple(
            tuple(_following(end, weight, decays[a] * decays[b]) for b in range(a + 1)) for a in range(len(decays))
        )
        return cls(column[data.item], end, weight, powers, after)

    def following(self, a: int, b: int) -> FloatArray:
        """h of two scales for every row: (events,)."""
        return self.after[max(a, b)][min(a, b)]

    def pairs(self, n: int) -> Iterator[tuple[float, IntArray, IntArray, LongArray, LongArray]]:
        """Blocks of (share done, columns of the earlier events, ascending, those of the later, lags, later rows)."""
        order = np.argsort(self.column, kind="stable")
        order = order[np.searchsorted(self.column[order], 0) :]
        longest = max(len(power) for power in self.powers) - 1
        counts = np.minimum(self.end[order] - order - 1, longest)
        order, counts = order[counts > 0], counts[counts > 0]
        source, total = self.column[order], np.cumsum(counts)
        first = 0
        while first < len(order):
            most = np.searchsorted(total, total[first] - counts[first] + _PAIRS_AT_ONCE, side="right")
            wide = np.searchsorted(source, source[first] + max(1, _SUMS_AT_ONCE // n))
            last = max(first + 1, min(int(most), int(wide)))
            many = counts[first:last]
            lag = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + 1
            later = np.repeat(order[first:last], many) + lag
            known = self.column[later] >= 0
            if known.any():
                later, lag = later[known], lag[known]
                earlier = np.repeat(source[first:last], many)[known]
                yield last / len(order), earlier, self.column[later], lag, later
            first = last


def faded_after(decay: float, share: float) -> int:
    """The number of events after which a decay has faded to `share`: at least 1."""
    return max(1, math.ceil(math.log(share) / math.log(decay)))


def _following(end: LongArray, weight: FloatArray, decay: float) -> FloatArray:
    """h(r) = w_{r+1} + decay · h(r + 1) within each stretch, 0 at its last row: (rows,)."""
    left = end - np.arange(len(end)) - 1
    found = np.zeros(len(end), np.float64)
    order = np.argsort(left, kind="stable")
    bounds = np.searchsorted(left[order], np.arange(1, left.max(initial=0) + 2))
    for begin, last in pairwise(bounds.tolist()):
        rows = order[begin:last]
        found[rows] = weight[rows + 1] + decay * found[rows + 1]
    return found.astype(np.float32)


def _add_transposed(square: FloatArray, options: FitOptions) -> None:
    """Put the lower triangle of `square` + `square`ᵀ into that of `square`, tile by tile."""
    n = len(square)
    for begin in range(0, n, _TILE):
        options.raise_if_stopped()
        rows = slice(begin, begin + _TILE)
        for other in range(0, begin, _TILE):
            columns = slice(other, other + _TILE)
            square[rows, columns] += square[columns, rows].T
        square[rows, rows] += square[rows, rows].T.copy()
