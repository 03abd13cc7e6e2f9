"""What a scorer lists for the cases of a split, kept as item numbers: every metric is computed from this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, Histories, IntArray, LongArray
from matinee.errors import DataProblem
from matinee.evaluation.metrics import LIST_LENGTH, DoubleArray, ranking_metrics, top_items
from matinee.evaluation.splits import Split
from matinee.models.histories import rows_of

#: Histories (batch) in, scores (batch, n_items) out; may be written to.
Scorer = Callable[[Histories], FloatArray]
#: The numbers of the first case and of the one behind the last in, scores (cases, n_items) out; may be written to.
CaseScorer = Callable[[int, int], FloatArray]

#: Scores held at once: 2²³ float32 values, 32 MB.
_SCORES_AT_ONCE = 2**23
_MOST_CASES = 512


@dataclass(frozen=True)
class Lists:
    """The list of each case that asks for something, and what it asks for.

    `case` (cases,) numbers the cases of the split, ascending; `ranked` (cases, 25) holds item numbers, best first, -1
    where a list is shorter; `wanted_row` and `wanted_item` (wanted,) pair each row of `ranked` with the distinct items
    that it should find.
    """

    case: LongArray
    ranked: IntArray
    wanted_row: LongArray
    wanted_item: IntArray
    n_items: int

    def __len__(self) -> int:
        return len(self.case)

    def metrics(self, only: NDArray[np.bool_] | None = None) -> tuple[LongArray, Mapping[str, DoubleArray]]:
        """The rows that ask for something, and every ranking metric of each of them.

        With `only` (n_items,) no other items count as asked for; places that others take stay taken.
        """
        row, item = self.wanted_row, self.wanted_item
        if only is not None:
            row, item = row[only[item]], item[only[item]]
        asked = np.bincount(row, minlength=len(self))
        keys = np.sort(row * self.n_items + item)
        places = np.arange(len(self))[:, None] * self.n_items + self.ranked
        at = np.minimum(np.searchsorted(keys, places), max(0, len(keys) - 1))
        hits = (keys[at] == places) & (self.ranked >= 0) if len(keys) else np.zeros(self.ranked.shape, np.bool_)
        rows = np.flatnonzero(asked)
        return rows, ranking_metrics(hits[rows], asked[rows])


def make_lists(split: Split, score: CaseScorer, *, exclude_seen: bool) -> Lists:
    """The lists of 25 that `score` gives, in bounded batches.

    With `exclude_seen`, items of the input are neither listed nor asked for; a case that asks for nothing else is
    left out. Raises `DataProblem` when no case asks for anything.
    """
    n_items = split.log.n_items
    batch = max(1, min(_MOST_CASES, _SCORES_AT_ONCE // max(1, n_items)))
    ranked = []
    for begin in range(0, len(split), batch):
        end = min(begin + batch, len(split))
        scores = score(begin, end)
        if exclude_seen:
            inputs = split.inputs(begin, end)
            scores[rows_of(inputs.indptr), inputs.items] = -np.inf
        ranked.append(top_items(scores))
    whole = np.concatenate(ranked) if ranked else np.zeros((0, LIST_LENGTH), np.int32)
    return with_truth(split, whole, exclude_seen=exclude_seen)


def with_truth(split: Split, ranked: IntArray, *, exclude_seen: bool) -> Lists:
    """`ranked` (cases of the split, 25), from whatever made it, together with what the cases ask for.

    Raises `DataProblem` when no case asks for anything.
    """
    n_items = split.log.n_items
    truths = split.truths(0, len(split))
    wanted = np.unique(rows_of(truths.indptr) * n_items + truths.items)
    if exclude_seen:
        inputs = split.inputs(0, len(split))
        wanted = wanted[~np.isin(wanted, np.unique(rows_of(inputs.indptr) * n_items + inputs.items))]
    row, item = wanted // n_items, (wanted % n_items).astype(np.int32)
    case = np.unique(row)
    if not len(case):
        raise DataProblem(
            f"There is nothing to test on under the protocol {split.protocol}.",
            fix="It needs users with at least two interactions; import more interactions.",
        )
    return Lists(case, ranked[case], np.searchsorted(case, row), item, n_items)
