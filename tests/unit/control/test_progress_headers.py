"""What a Describe says, in headers, of the job that is under way."""

from __future__ import annotations

import json

from matinee.control.operation import progress_headers


def test_fraction_message_time_left_and_metrics_are_told() -> None:
    told = {"fraction": 0.4, "message": "epoch 4", "seconds_left": 95.2, "metrics": {"loss": 2.5, "ndcg_at_10": 0.25}}
    found = progress_headers(told)
    assert json.loads(found.pop("x-matinee-progress-metrics")) == {"loss": 2.5, "ndcg_at_10": 0.25}
    assert found == {
        "x-matinee-progress": "0.4",
        "x-matinee-progress-message": "epoch 4",
        "x-matinee-progress-seconds-left": "95",
    }


def test_what_is_not_known_has_no_header() -> None:
    told = {"fraction": 0.0, "message": "reading", "seconds_left": None, "metrics": {}}
    assert set(progress_headers(told)) == {"x-matinee-progress", "x-matinee-progress-message"}
