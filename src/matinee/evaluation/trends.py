"""How well a trending model foresees what will trend: the service's `trend_prediction_accuracy`."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Interactions
from matinee.models.popularity import unique_users
from matinee.models.trending import counts, growth

TREND_ACCURACY = "trend_prediction_accuracy"
#: The length of the lists.
LISTED = 25


def trend_accuracy(data: Interactions, interval_seconds: int) -> float:
    """Growth of the recommended items in the newest interval, as a share of that of the 25 that grew most: 0 to 1.

    The list is made from what came before the newest interval. 0 when nothing grew in it, or there was nothing before.
    """
    end = int(data.timestamp.max()) + 1
    earlier = data.select(data.timestamp < end - interval_seconds)
    if not len(earlier):
        return 0.0
    before = counts(earlier.item, earlier.timestamp, data.n_items, end - interval_seconds, interval_seconds)
    listed = np.argsort(-growth(*before, unique_users(earlier)), kind="stable")[:LISTED]
    now, last = counts(data.item, data.timestamp, data.n_items, end, interval_seconds)
    change = now - last
    most = np.sort(np.maximum(change, 0))[::-1][:LISTED].sum()
    return float(np.clip(change[listed].sum() / most, 0, 1)) if most > 0 else 0.0
