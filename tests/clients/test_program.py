"""A boto3 program written for Amazon Personalize runs unchanged: only environment variables name other endpoints."""

from __future__ import annotations

from tests.clients.films import PROGRAM, RECIPES, Films

METRICS = {
    "coverage",
    "mean_reciprocal_rank_at_25",
    *(f"normalized_discounted_cumulative_gain_at_{k}" for k in (5, 10, 25)),
    *(f"precision_at_{k}" for k in (5, 10, 25)),
}


def test_nothing_in_the_program_knows_of_matinee() -> None:
    _, _, code = PROGRAM.read_text().split('"""', 2)
    assert "matinee" not in code.lower()
    assert "endpoint" not in code.lower()


def test_it_waits_on_statuses_until_all_is_active(films: Films) -> None:
    for member in ("datasetGroup", "dataset", "datasetImportJob", "solutionVersion", "campaign"):
        statuses = films.statuses(member)
        assert statuses[-1] == "ACTIVE", member
        assert set(statuses) <= {"CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"}, member
    assert films.statuses("solutionVersion").count("ACTIVE") == len(RECIPES)


def test_it_prints_the_metrics_of_each_solution(films: Films) -> None:
    found = films.metrics()
    assert len(found) == len(RECIPES)
    for metrics in found:
        assert set(metrics) == METRICS
        assert all(0 <= value <= 1 for value in metrics.values())
        assert metrics["normalized_discounted_cumulative_gain_at_25"] > 0


def test_recommendations_change_after_events(films: Films) -> None:
    before, after = films.printed("before"), films.printed("after")
    assert len(before) == len(set(before)) == 10
    assert len(after) == len(set(after)) == 10
    assert before != after


def test_it_finds_similar_and_popular_films(films: Films) -> None:
    similar, popular = films.printed("similar"), films.printed("popular")
    assert len(set(similar)) == 5
    assert films.printed("before")[0] not in similar
    assert len(set(popular)) == 25
