"""HPO and AutoML through boto3: what was found is shown by Describe, what cannot be searched is refused."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.clients.house import RECIPES, House, describe, settle

RANGES = {
    "integerHyperParameterRanges": [{"name": "min_cointeraction_count", "minValue": 0, "maxValue": 4}],
    "continuousHyperParameterRanges": [{"name": "popularity_discount_factor", "minValue": 0.2, "maxValue": 0.8}],
    "categoricalHyperParameterRanges": [],
}


def _solution(house: House, **members: Any) -> str:
    return house.create("Solution", datasetGroupArn=house.arns["DatasetGroup"], performAutoTraining=False, **members)


def test_hpo_shows_the_best_values(house: House) -> None:
    limits = {"maxNumberOfTrainingJobs": "3", "maxParallelTrainingJobs": "2"}
    solution = _solution(
        house,
        recipeArn=f"{RECIPES}aws-sims",
        performHPO=True,
        solutionConfig={"hpoConfig": {"hpoResourceConfig": limits, "algorithmHyperParameterRanges": RANGES}},
    )
    shown = describe(house.clients, "Solution", solution)["solutionConfig"]["hpoConfig"]
    (integer,) = shown["algorithmHyperParameterRanges"]["integerHyperParameterRanges"]
    assert integer == {"name": "training.min_cointeraction_count", "minValue": 0, "maxValue": 4}
    version = house.clients.control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    assert settle(house.clients, "SolutionVersion", version) == "ACTIVE"
    found = describe(house.clients, "SolutionVersion", version)
    tuned = found["tunedHPOParams"]["algorithmHyperParameters"]
    assert 0 <= int(tuned["min_cointeraction_count"]) <= 4
    assert 0.2 <= float(tuned["popularity_discount_factor"]) <= 0.8
    assert found["performHPO"] is True
    assert found["trainingHours"] >= 0.001


def test_automl_shows_the_best_recipe(house: House) -> None:
    popularity = f"{RECIPES}aws-popularity-count"
    config = {"autoMLConfig": {"metricName": "precision_at_25", "recipeList": [popularity]}}
    solution = _solution(house, performAutoML=True, performHPO=True, solutionConfig=config)
    assert "autoMLResult" not in describe(house.clients, "Solution", solution)
    version = house.clients.control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    assert settle(house.clients, "SolutionVersion", version) == "ACTIVE"
    assert describe(house.clients, "Solution", solution)["autoMLResult"] == {"bestRecipeArn": popularity}
    found = describe(house.clients, "SolutionVersion", version)
    assert found["recipeArn"] == popularity
    assert "tunedHPOParams" not in found


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"recipeArn": f"{RECIPES}aws-popularity-count", "performHPO": True}, "no parameter that can be tuned"),
        (
            {
                "recipeArn": f"{RECIPES}aws-sims",
                "performHPO": True,
                "solutionConfig": {
                    "hpoConfig": {
                        "algorithmHyperParameterRanges": {
                            "integerHyperParameterRanges": [{"name": "bptt", "minValue": 2, "maxValue": 8}]
                        }
                    }
                },
            },
            "has no parameter 'bptt' that can be tuned",
        ),
        ({"performAutoML": True, "solutionConfig": {"autoMLConfig": {"metricName": "speed"}}}, "is no metric"),
    ],
)
def test_what_cannot_be_searched_is_refused(house: House, members: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words) as refusal:
        _solution(house, **members)
    assert refusal.value.response["Error"]["Code"] == "InvalidInputException"
