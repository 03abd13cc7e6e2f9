"""Popularity of the last days: from the training's end, or as whoever asks has counted it since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matinee.data.interactions import FloatArray, Histories, Interactions, LongArray
from matinee.models.arrays import AnyArray
from matinee.models.base import FitOptions, ItemFeatures, Model

_SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class RecentConfig:
    """Events of the last `window_days` days count."""

    window_days: float = 7.0


class Recent(Model):
    """score(i) = log(1 + events with i in the last days), the same for everyone who asks at that moment.

    Histories that bring `recent`, what was counted up to the question, are answered by it; where that is fewer events
    in all than the training ended with, the training's own counts make up for what is missing. So a quiet week, or a
    server that was started a minute ago, does not make a handful of items look popular.
    """

    name = "recent"
    Config = RecentConfig
    personal = False

    def __init__(self, config: RecentConfig | Mapping[str, object] | None = None) -> None:
        super().__init__(config)
        self.counts: FloatArray = np.zeros(0, np.float32)

    @property
    def recent_days(self) -> float:
        """The configured days."""
        return float(self.config.window_days)

    def _fit(self, data: Interactions, features: ItemFeatures | None, options: FitOptions) -> None:
        log = EventsInTime.of(data)
        self.counts = log.counted(log.times[-1:] + 1, self.config.window_days)[0]

    def _score(self, histories: Histories) -> FloatArray:
        if histories.recent is None:
            return np.repeat(np.log1p(self.counts)[None, :], len(histories), axis=0)
        return self.scores_of(histories.recent)

    def scores_of(self, counted: FloatArray) -> FloatArray:
        """The scores (b, n_items) by what was `counted` (b, ≥ n_items) before each question; a fresh array.

        Items that came after the training are passed over.
        """
        counted = counted[:, : self.n_items]
        total = counted.sum(axis=1, keepdims=True)
        missing = np.maximum(0, 1 - total / max(float(self.counts.sum()), 1.0)).astype(np.float32)
        scores: FloatArray = np.log1p(counted + missing * self.counts)
        return scores

    def _arrays(self) -> Mapping[str, AnyArray]:
        return {"counts": self.counts}

    def _restore(self, arrays: Mapping[str, AnyArray]) -> None:
        self.counts = np.array(arrays["counts"])


@dataclass(frozen=True)
class EventsInTime:
    """The events of a log in the order of time: `times` and `items` (n,)."""

    times: LongArray
    items: LongArray
    n_items: int

    @classmethod
    def of(cls, data: Interactions) -> EventsInTime:
        """The events of `data`, sorted by time."""
        order = np.argsort(data.timestamp, kind="stable")
        return cls(data.timestamp[order], data.item[order].astype(np.int64), data.n_items)

    def counted(self, ends: LongArray, days: float) -> FloatArray:
        """How often each item occurs in the `days` days before each of `ends` (b,), that second excluded: (b, n_items).

        An end of -1 stands for the end of the log.
        """
        ends = np.where(ends < 0, self.times[-1] + 1 if len(self.times) else 0, ends)
        first = np.searchsorted(self.times, ends - round(days * _SECONDS_A_DAY))
        last = np.searchsorted(self.times, ends)
        counts = np.empty((len(ends), self.n_items), np.float32)
        for row, (low, high) in enumerate(zip(first, last, strict=True)):
            counts[row] = np.bincount(self.items[low:high], minlength=self.n_items)
        return counts
