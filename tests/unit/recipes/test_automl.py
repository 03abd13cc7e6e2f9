"""AutoML: which recipes are compared, and by which metric."""

from __future__ import annotations

import pytest

from matinee.errors import InvalidInput
from matinee.evaluation.metrics import PERSONALIZE_NAMES
from matinee.recipes.automl import DEFAULT_METRIC, METRICS, check_automl, deciding_metric, default_candidates
from matinee.recipes.catalogue import find
from matinee.recipes.models import plan_model

V2, POPULARITY, SIMS = find("aws-user-personalization-v2"), find("aws-popularity-count"), find("aws-sims")


def test_the_metrics_are_those_of_a_version() -> None:
    assert set(METRICS) == set(PERSONALIZE_NAMES)


def test_the_candidates_are_different_models_that_can_stand_in_for_each_other() -> None:
    candidates = default_candidates()
    check_automl({}, candidates)
    models = [plan_model(recipe, {}).model for recipe in candidates]
    assert len(set(models)) == len(models) >= 2


def test_the_metric_can_be_named() -> None:
    assert deciding_metric({}) == DEFAULT_METRIC
    assert deciding_metric({"autoMLConfig": {"metricName": "coverage"}}) == "coverage"


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"metricName 'speed' is no metric; use one of coverage"):
        check_automl({"autoMLConfig": {"metricName": "speed"}}, [V2])


def test_recipes_that_are_asked_differently_are_not_compared() -> None:
    with pytest.raises(InvalidInput, match=r"aws-popularity-count and aws-sims are asked in different ways"):
        check_automl({}, [POPULARITY, SIMS])


def test_a_recipe_of_segments_is_not_compared() -> None:
    with pytest.raises(InvalidInput, match="aws-item-affinity cannot be compared"):
        check_automl({}, [find("aws-item-affinity")])
