"""The report of a comparison: means with 95% intervals, spread over seeds, segments, paired tests; as JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from matinee.evaluation.beyond import whole
from matinee.evaluation.case_segments import METRICS as SEGMENT_METRICS
from matinee.evaluation.comparison import Contender, Run
from matinee.evaluation.intervals import Interval, Sums, bootstrap, jackknife, paired

#: The metrics on which contenders are compared by a test.
TESTED = ("ndcg_at_10", "mrr_at_25", "hit_rate_at_10", "precision_at_10")


@dataclass(frozen=True)
class Entry:
    """What a contender reached over its seeds."""

    name: str
    about: Mapping[str, Any]
    metrics: Mapping[str, Interval]
    over_seeds: Mapping[str, Mapping[str, Any]]
    segments: Mapping[str, Mapping[str, Any]]
    cases: int
    train_seconds: float
    test_seconds: float
    peak_memory_mb: float

    def as_json(self) -> dict[str, Any]:
        """JSON-ready values; times are means over seeds in seconds, memory the most of any seed in MB."""
        return {
            "recipe": self.name,
            "train_seconds": self.train_seconds,
            "peak_memory_mb": self.peak_memory_mb,
            "metrics": {name: interval.as_json() for name, interval in self.metrics.items()},
            "over_seeds": dict(self.over_seeds),
            "segments": dict(self.segments),
            "cases": self.cases,
            "test_seconds": self.test_seconds,
            "run": dict(self.about),
        }


def entry(contender: Contender, runs: Sequence[Run]) -> Entry:
    """Sum up the runs of one contender."""
    names = runs[0].names
    together = jackknife([run.listed for run in runs], whole)
    metrics = dict(zip(names, bootstrap([run.sums for run in runs]), strict=True)) | together
    over_seeds = {name: _spread([run.mean(name) for run in runs]) for name in names}
    over_seeds |= {name: _spread([whole(run.listed.sum(axis=0))[name] for run in runs]) for name in together}
    return Entry(
        name=contender.name,
        about=contender.about,
        metrics=metrics,
        over_seeds=over_seeds,
        segments=_segments(runs),
        cases=sum(run.cases for run in runs),
        train_seconds=float(np.mean([run.train_seconds for run in runs])),
        test_seconds=float(np.mean([run.test_seconds for run in runs])),
        peak_memory_mb=max(run.peak_memory_mb for run in runs),
    )


def paired_tests(runs: Mapping[str, Sequence[Run]], names: Sequence[str]) -> list[dict[str, Any]]:
    """A paired test of every two of `names`, in their order, over the same cases and for each of `TESTED`."""
    return [
        {
            "recipe": ours,
            "against": theirs,
            "metrics": {
                metric: difference.as_json()
                for metric, difference in zip(TESTED, paired(_tested(runs[ours]), _tested(runs[theirs])), strict=True)
            },
        }
        for ours, theirs in combinations(names, 2)
    ]


def whole_report(
    entries: Sequence[Entry],
    beside: Sequence[Entry],
    pairs: Sequence[Mapping[str, Any]],
    *,
    protocol: str,
    dataset: str,
    seeds: int,
    data: Mapping[str, Any],
) -> dict[str, Any]:
    """What `matinee evaluate --json` writes: the first recipe's figures at the top, the others' in `others`."""
    first, *others = [one.as_json() for one in entries]
    return {
        "protocol": protocol,
        "dataset": dataset,
        "recipe": first["recipe"],
        "seeds": seeds,
        **first,
        "data": dict(data),
        "others": others,
        "beside": {one.name: one.as_json() for one in beside},
        "paired": list(pairs),
    }


def _tested(runs: Sequence[Run]) -> list[Sums]:
    """The sums of the metrics that are tested."""
    columns = [runs[0].names.index(name) for name in TESTED]
    return [Sums(run.sums.sums[:, columns], run.sums.counts) for run in runs]


def _segments(runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """Each segment's number of cases over all seeds and its metrics; a segment counts in the seeds that have it."""
    found = {}
    for name in dict.fromkeys(name for run in runs for name in run.segments):
        sums = [run.segments[name] for run in runs if name in run.segments]
        intervals = zip(SEGMENT_METRICS, bootstrap(sums), strict=True)
        found[name] = {
            "cases": int(sum(one.counts.sum() for one in sums)),
            "metrics": {metric: interval.as_json() for metric, interval in intervals},
        }
    return found


def _spread(values: Sequence[float]) -> dict[str, Any]:
    """The figures of each seed and their standard deviation, 0 for a single seed."""
    return {"values": list(values), "deviation": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0}
