"""Counting requests."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from matinee.api.metrics import Metrics


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    text, _ = metrics.expose()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_answers_are_counted_by_operation_and_status() -> None:
    metrics = Metrics()
    for status in (200, 200, 404):
        metrics.observe("GetRecommendations", status, 0.001)

    counted = samples(metrics)

    assert counted["matinee_requests_total", "GetRecommendations", "200"] == 2
    assert counted["matinee_requests_total", "GetRecommendations", "404"] == 1


def test_latencies_are_kept_by_operation() -> None:
    metrics = Metrics()
    metrics.observe("PutEvents", 200, 0.004)
    metrics.observe("PutEvents", 500, 0.2)

    counted = samples(metrics)

    assert counted["matinee_request_seconds_count", "PutEvents"] == 2
    assert counted["matinee_request_seconds_bucket", "0.005", "PutEvents"] == 1


def test_two_applications_count_apart() -> None:
    one, other = Metrics(), Metrics()

    one.observe("PutEvents", 200, 0.004)

    assert ("matinee_requests_total", "PutEvents", "200") not in samples(other)
