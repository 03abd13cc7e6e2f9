"""Several contenders over several seeds: the same cases for all, and a report that adds up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.data.sample import generate_sample
from matinee.errors import DataProblem, JobStopped
from matinee.evaluation.comparison import Contender, Run, compare, yardsticks
from matinee.evaluation.evaluate import evaluate
from matinee.evaluation.report import entry, paired_tests, whole_report
from matinee.models.base import FitOptions, Progress
from matinee.models.ease import EASE
from matinee.models.popularity import Popularity

CONTENDERS = [Contender("ease", EASE), *yardsticks("temporal")]


@pytest.fixture(scope="module")
def log() -> Interactions:
    return generate_sample(users=80, films=60, ratings=2_500).log().interactions


@pytest.fixture(scope="module")
def runs(log: Interactions) -> dict[str, list[Run]]:
    return compare(log, "temporal", CONTENDERS, seeds=range(2), exclude_seen=True, options=FitOptions())


def test_the_means_are_those_of_one_evaluation(log: Interactions, runs: dict[str, list[Run]]) -> None:
    alone = evaluate(EASE, log, "temporal", seed=1)
    run = runs["ease"][1]
    assert run.cases == alone.cases
    for name in ("ndcg_at_10", "mrr_at_25", "hit_rate_at_10", "precision_at_25"):
        assert run.mean(name) == pytest.approx(alone.metrics[name])


def test_coverage_of_the_report_is_that_of_the_lists(log: Interactions, runs: dict[str, list[Run]]) -> None:
    coverage = entry(CONTENDERS[0], runs["ease"]).metrics["coverage"]
    assert coverage.mean == pytest.approx(evaluate(EASE, log, "temporal").metrics["coverage"])


def test_recent_popularity_is_live_under_the_temporal_protocol(runs: dict[str, list[Run]]) -> None:
    recent = runs["popular-last-7-days"][0]
    assert not np.array_equal(recent.listed, runs["popularity"][0].listed)
    assert [one.about.get("live") for one in yardsticks("temporal")] == [None, True]
    assert [one.about.get("live") for one in yardsticks("personalize")] == [None, False]


def test_a_run_tells_time_and_memory(runs: dict[str, list[Run]]) -> None:
    run = runs["ease"][0]
    assert run.train_seconds > 0
    assert run.peak_memory_mb > 10


def test_the_report_has_the_members_that_are_promised(runs: dict[str, list[Run]]) -> None:
    entries = [entry(one, runs[one.name]) for one in CONTENDERS]
    paired = paired_tests(runs, [one.name for one in CONTENDERS])
    report = whole_report(entries[:1], entries[1:], paired, protocol="temporal", dataset="d", seeds=2, data={})
    assert list(report)[:7] == [
        "protocol", "dataset", "recipe", "seeds", "train_seconds", "peak_memory_mb", "metrics",
    ]  # fmt: skip
    assert report["recipe"] == "ease"
    assert set(report["metrics"]["ndcg_at_10"]) == {"mean", "low", "high"}
    assert {"hit_rate_at_10", "mrr_at_25", "precision_at_10", "coverage", "gini"} <= set(report["metrics"])
    assert len(report["over_seeds"]["ndcg_at_10"]["values"]) == 2
    assert set(report["beside"]) == {"popularity", "popular-last-7-days"}
    assert [(one["recipe"], one["against"]) for one in paired] == [
        ("ease", "popularity"),
        ("ease", "popular-last-7-days"),
        ("popularity", "popular-last-7-days"),
    ]


def test_the_paired_difference_is_that_of_the_means(runs: dict[str, list[Run]]) -> None:
    (test,) = paired_tests(runs, ["ease", "popularity"])
    means = {name: np.mean([run.mean("ndcg_at_10") for run in runs[name]]) for name in ("ease", "popularity")}
    assert test["metrics"]["ndcg_at_10"]["difference"] == pytest.approx(means["ease"] - means["popularity"])


def test_a_fit_may_be_given_only_some_of_the_training_events(log: Interactions) -> None:
    def few(data: Interactions) -> Interactions:
        return data.select(data.item < 10)

    found = compare(
        log, "leave-one-out", [Contender("few", Popularity, select=few)], seeds=range(1), exclude_seen=True,
        options=FitOptions(),
    )  # fmt: skip
    assert found["few"][0].listed.sum(axis=0)[10:].sum() == 0


def test_progress_is_told_and_a_stop_is_heard(log: Interactions) -> None:
    steps: list[Progress] = []
    options = FitOptions(on_progress=steps.append)
    compare(log, "leave-one-out", CONTENDERS[:1], seeds=range(1), exclude_seen=True, options=options)
    assert steps[-1].message == "asked 80 of 80 cases"
    with pytest.raises(JobStopped):
        compare(
            log, "leave-one-out", CONTENDERS[:1], seeds=range(1), exclude_seen=True,
            options=FitOptions(should_stop=lambda: True),
        )  # fmt: skip


def test_an_empty_log_is_refused(log: Interactions) -> None:
    with pytest.raises(DataProblem, match="no event to evaluate on"):
        compare(
            log.select(log.item < 0), "temporal", CONTENDERS, seeds=range(1), exclude_seen=True, options=FitOptions()
        )


def test_events_that_leave_nothing_to_train_on_are_refused(log: Interactions) -> None:
    at_once = replace(log, timestamp=np.zeros(len(log), np.int64))
    with pytest.raises(DataProblem, match="nothing to train on"):
        compare(at_once, "temporal", CONTENDERS, seeds=range(1), exclude_seen=True, options=FitOptions())
