"""Popular in the last 7 days, counted anew for every case from what had happened by then."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import FloatArray
from matinee.evaluation.lists import CaseScorer
from matinee.evaluation.splits import Split
from matinee.models.popularity import unique_users

DAYS = 7
_SECONDS_A_DAY = 86_400


def live_popularity(split: Split, days: float = DAYS) -> CaseScorer:
    """A scorer by the number of users of each item in the `days` days before the case's event, that second excluded.

    It reads the whole log, but of it only what is strictly earlier than the event that is asked for, as a server
    would. Items with equal counts, such as those without any, follow their popularity in training.
    """
    log = split.log
    order = np.argsort(log.timestamp, kind="stable")
    times, items, users = log.timestamp[order], log.item[order].astype(np.int64), log.user[order].astype(np.int64)
    overall = unique_users(split.train)
    behind = (overall / (overall.max(initial=0) + 1)).astype(np.float32)

    def score(begin: int, end: int) -> FloatArray:
        at = log.timestamp[split.truth_start[begin:end]]
        first = np.searchsorted(times, at - days * _SECONDS_A_DAY)
        last = np.searchsorted(times, at)
        scores = np.repeat(behind[None, :], end - begin, axis=0)
        for row, (low, high) in enumerate(zip(first, last, strict=True)):
            pairs = np.unique(users[low:high] * log.n_items + items[low:high])
            scores[row] += np.bincount(pairs % log.n_items, minlength=log.n_items)
        return scores

    return score
