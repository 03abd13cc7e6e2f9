"""Solutions: ACTIVE at once, what they keep, updates, deletion, refusals."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.control.tenant import ITEMS, RECIPES, V2, Tenant

from matinee.errors import InvalidInput, LimitExceeded, ResourceAlreadyExists, ResourceInUse, ResourceNotFound
from matinee.recipes.automl import default_candidates

V1 = f"{RECIPES}aws-user-personalization"
SIMS = f"{RECIPES}aws-sims"


@pytest.fixture
def group(tenant: Tenant) -> str:
    """An ACTIVE group."""
    return tenant.group("films")


def test_a_solution_is_active_at_once(tenant: Tenant, group: str) -> None:
    arn = tenant.solution(group)
    shown = tenant.shown(arn)
    assert shown["status"] == "ACTIVE"
    assert (shown["performAutoTraining"], shown["performHPO"], shown["performAutoML"]) == (True, False, False)
    assert shown["solutionConfig"] == {}
    assert {"latestSolutionVersion", "latestSolutionUpdate", "eventType"}.isdisjoint(shown)
    assert tenant.pending() == []


@pytest.mark.usefixtures("later")
def test_describe_returns_what_create_was_given(tenant: Tenant, group: str) -> None:
    config: dict[str, Any] = {
        "eventValueThreshold": "3.5",
        "algorithmHyperParameters": {"popularity_discount_factor": "0.3"},
        "featureTransformationParameters": {"min_item_interaction_count_percentile": "0.02"},
        "hpoConfig": {
            "hpoResourceConfig": {"maxNumberOfTrainingJobs": "8", "maxParallelTrainingJobs": "2"},
            "algorithmHyperParameterRanges": {
                "integerHyperParameterRanges": [{"name": "min_cointeraction_count", "minValue": 1, "maxValue": 5}],
                "continuousHyperParameterRanges": [],
                "categoricalHyperParameterRanges": [],
            },
        },
        "autoTrainingConfig": {"schedulingExpression": "rate(3 days)"},
    }
    arn = tenant.solution(group, recipe=SIMS, performHPO=True, eventType="watch", solutionConfig=config)
    shown = tenant.shown(arn)
    (entry,) = config["hpoConfig"]["algorithmHyperParameterRanges"]["integerHyperParameterRanges"]
    assert shown["solutionConfig"] != config
    entry["name"] = "training.min_cointeraction_count"
    assert shown["solutionConfig"] == config
    assert (shown["recipeArn"], shown["eventType"], shown["performHPO"]) == (SIMS, "watch", True)


def test_a_summary_names_the_recipe(tenant: Tenant, group: str) -> None:
    tenant.solution(group)
    (summary,) = tenant.list_solutions(datasetGroupArn=group)["solutions"]
    assert summary["recipeArn"] == V2
    assert tenant.list_solutions(datasetGroupArn=tenant.group("books")) == {"solutions": []}


def test_trap_3_names_are_unique_across_groups(tenant: Tenant, group: str) -> None:
    arn = tenant.solution(group)
    with pytest.raises(ResourceAlreadyExists, match=arn):
        tenant.solution(tenant.group("books"))


def test_an_unknown_recipe_does_not_exist(tenant: Tenant, group: str) -> None:
    with pytest.raises(ResourceNotFound, match="recipe/aws-nothing does not exist"):
        tenant.solution(group, recipe=f"{RECIPES}aws-nothing")


def test_a_recipe_must_be_named(tenant: Tenant, group: str) -> None:
    with pytest.raises(InvalidInput, match="recipeArn is missing"):
        tenant.create_solution(name="s", datasetGroupArn=group)


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ("aws-vod-top-picks", "Use it with CreateRecommender"),
        ("aws-hrnn", "is a legacy recipe that no longer takes new solutions"),
    ],
)
def test_recipes_that_take_no_solution_are_refused(tenant: Tenant, group: str, recipe: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        tenant.solution(group, recipe=f"{RECIPES}{recipe}")


def wrong(recipe: str, sentence: str, config: dict[str, Any], **params: Any) -> Any:
    """One refused configuration."""
    return pytest.param(f"{RECIPES}{recipe}", sentence, config, params, id=sentence[:40])


def hpo(kind: str, **entry: Any) -> dict[str, Any]:
    """An hpoConfig with one range."""
    return {"hpoConfig": {"algorithmHyperParameterRanges": {f"{kind}HyperParameterRanges": [entry]}}}


@pytest.mark.parametrize(
    ("recipe", "sentence", "config", "params"),
    [
        wrong("aws-sims", "has no parameter 'speed'", {"algorithmHyperParameters": {"speed": "9"}}),
        wrong(
            "aws-sims", "the value '2' of popularity", {"algorithmHyperParameters": {"popularity_discount_factor": "2"}}
        ),
        wrong("aws-sims", "eventValueThreshold 'high' is not a number", {"eventValueThreshold": "high"}),
        wrong(
            "aws-sims", "has no parameter 'bptt' that can be tuned", hpo("integer", name="bptt", minValue=1, maxValue=2)
        ),
        wrong(
            "aws-sims", "the range is 1 to 99", hpo("integer", name="min_cointeraction_count", minValue=1, maxValue=99)
        ),
        wrong(
            "aws-sims", "not above its maxValue", hpo("integer", name="min_cointeraction_count", minValue=5, maxValue=1)
        ),
        wrong(
            "aws-sims",
            "maxNumberOfTrainingJobs is '41'; it must be a whole number from 1 to 40",
            {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "41"}}},
        ),
        wrong(
            "aws-sims", "eventsConfig cannot be given", {"eventsConfig": {"eventParametersList": [{"eventType": "w"}]}}
        ),
        wrong(
            "aws-user-personalization-v2", "eventParametersList is empty", {"eventsConfig": {"eventParametersList": []}}
        ),
        wrong(
            "aws-user-personalization-v2",
            "has no eventType",
            {"eventsConfig": {"eventParametersList": [{"weight": 0.5}]}},
        ),
        wrong(
            "aws-user-personalization-v2",
            "the eventType 'watch' more than once",
            {"eventsConfig": {"eventParametersList": [{"eventType": "watch"}, {"eventType": "Watch"}]}},
        ),
        wrong(
            "aws-user-personalization-v2",
            "Every weight of eventParametersList is 0",
            {"eventsConfig": {"eventParametersList": [{"eventType": "watch", "weight": 0.0}]}},
        ),
        wrong(
            "aws-user-personalization-v2",
            "eventsConfig replaces eventType",
            {"eventsConfig": {"eventParametersList": [{"eventType": "watch"}]}},
            eventType="watch",
        ),
        wrong(
            "aws-user-personalization-v2",
            "optimizationObjective cannot be given",
            {"optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "LOW"}},
        ),
        wrong(
            "aws-user-personalization",
            "has no itemAttribute",
            {"optimizationObjective": {"objectiveSensitivity": "LOW"}},
        ),
        wrong(
            "aws-user-personalization",
            "must be a numeric column",
            {"optimizationObjective": {"itemAttribute": "GENRES"}},
        ),
        wrong(
            "aws-sims",
            "'Films' is no dataset type",
            {"trainingDataConfig": {"excludedDatasetColumns": {"Films": ["A"]}}},
        ),
        wrong(
            "aws-sims",
            "has no column 'TITLE'",
            {"trainingDataConfig": {"excludedDatasetColumns": {"Items": ["TITLE"]}}},
        ),
        wrong(
            "aws-sims", "cannot be excluded", {"trainingDataConfig": {"excludedDatasetColumns": {"Items": ["ITEM_ID"]}}}
        ),
        wrong(
            "aws-sims",
            "both excludes and includes columns of Items",
            {
                "trainingDataConfig": {
                    "excludedDatasetColumns": {"Items": ["PRICE"]},
                    "includedDatasetColumns": {"Items": ["GENRES"]},
                }
            },
        ),
        wrong(
            "aws-sims",
            "both excludes and includes columns of ITEMS",
            {
                "trainingDataConfig": {
                    "excludedDatasetColumns": {"Items": ["PRICE"]},
                    "includedDatasetColumns": {"ITEMS": ["GENRES"]},
                }
            },
        ),
        wrong(
            "aws-sims",
            "names Items more than once",
            {"trainingDataConfig": {"excludedDatasetColumns": {"Items": ["PRICE"], "ITEMS": ["GENRES"]}}},
        ),
        wrong("aws-sims", "write rate", {"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}}),
        wrong(
            "aws-sims",
            "although performAutoTraining is false",
            {"autoTrainingConfig": {"schedulingExpression": "rate(7 days)"}},
            performAutoTraining=False,
        ),
        wrong("aws-sims", "performIncrementalUpdate is for", {}, performIncrementalUpdate=True),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    tenant: Tenant, group: str, recipe: str, sentence: str, config: dict[str, Any], params: dict[str, Any]
) -> None:
    tenant.dataset(group, tenant.schema("items", ITEMS), "Items")
    with pytest.raises(InvalidInput, match=sentence):
        tenant.solution(group, recipe=recipe, solutionConfig=config, **params)
    assert tenant.list_solutions() == {"solutions": []}


def test_an_objective_needs_an_items_dataset(tenant: Tenant, group: str) -> None:
    with pytest.raises(InvalidInput, match="needs an Items dataset"):
        tenant.solution(group, recipe=V1, solutionConfig={"optimizationObjective": {"itemAttribute": "PRICE"}})


@pytest.mark.usefixtures("later")
def test_an_objective_over_a_numeric_column_is_kept(tenant: Tenant, group: str) -> None:
    tenant.dataset(group, tenant.schema("items", ITEMS), "Items")
    config = {"optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "HIGH"}}
    arn = tenant.solution(group, recipe=V1, solutionConfig=config)
    assert tenant.shown(arn)["solutionConfig"] == config


def test_automl_takes_no_recipe(tenant: Tenant, group: str) -> None:
    with pytest.raises(InvalidInput, match="although performAutoML is true"):
        tenant.solution(group, performAutoML=True)


def test_automl_shows_its_choice_after_training(tenant: Tenant, group: str) -> None:
    config = {"autoMLConfig": {"recipeList": [V2, V1]}}
    answer = tenant.create_solution(name="s", datasetGroupArn=group, performAutoML=True, solutionConfig=config)
    tenant.version(answer["solutionArn"])
    shown = tenant.shown(answer["solutionArn"])
    assert shown["autoMLResult"] == {"bestRecipeArn": V1}
    assert "recipeArn" not in shown


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"autoMLConfig": {"metricName": "speed"}}, "metricName 'speed' is no metric"),
        ({"autoMLConfig": {"recipeList": [V2, SIMS]}}, "are asked in different ways"),
        ({"algorithmHyperParameters": {"bptt": "8"}}, "aws-user-personalization-v2 has no parameter 'bptt'"),
    ],
)
def test_automl_refuses_what_its_candidates_cannot_have(
    tenant: Tenant, group: str, config: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        tenant.create_solution(name="s", datasetGroupArn=group, performAutoML=True, solutionConfig=config)


def test_automl_compares_recipes_of_its_own_where_none_are_named(tenant: Tenant, group: str) -> None:
    config = {"autoMLConfig": {"metricName": "precision_at_10"}}
    answer = tenant.create_solution(
        name="s", datasetGroupArn=group, performAutoML=True, performHPO=True, solutionConfig=config
    )
    tenant.version(answer["solutionArn"])
    chosen = tenant.shown(answer["solutionArn"])["autoMLResult"]["bestRecipeArn"]
    assert chosen in [recipe.arn for recipe in default_candidates()]


def test_automl_checks_the_recipes_it_may_choose(tenant: Tenant, group: str) -> None:
    config = {"autoMLConfig": {"recipeList": [V2, f"{RECIPES}aws-hrnn"]}}
    with pytest.raises(InvalidInput, match="legacy recipe"):
        tenant.create_solution(name="s", datasetGroupArn=group, performAutoML=True, solutionConfig=config)


def test_the_newest_version_is_shown(tenant: Tenant, group: str) -> None:
    solution = tenant.solution(group)
    tenant.version(solution)
    newest = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    shown = tenant.shown(solution)["latestSolutionVersion"]
    assert (shown["solutionVersionArn"], shown["status"]) == (newest, "CREATE PENDING")
    assert (shown["trainingMode"], shown["trainingType"]) == ("FULL", "MANUAL")


def test_an_update_shows_until_it_is_done(tenant: Tenant, group: str) -> None:
    solution = tenant.solution(group)
    change = {"autoTrainingConfig": {"schedulingExpression": "rate(2 days)"}}
    tenant.update_solution(solutionArn=solution, solutionUpdateConfig=change)
    shown = tenant.shown(solution)
    assert (shown["status"], shown["latestSolutionUpdate"]["status"]) == ("ACTIVE", "CREATE PENDING")
    assert shown["solutionConfig"] == {}
    tenant.work()
    shown = tenant.shown(solution)
    assert shown["latestSolutionUpdate"]["status"] == "ACTIVE"
    assert shown["latestSolutionUpdate"]["solutionUpdateConfig"] == change
    assert shown["solutionConfig"] == change


def test_automatic_training_can_be_turned_off(tenant: Tenant, group: str) -> None:
    solution = tenant.solution(group)
    tenant.update_solution(solutionArn=solution, performAutoTraining=False)
    tenant.work()
    assert tenant.shown(solution)["performAutoTraining"] is False


def test_a_second_update_must_wait(tenant: Tenant, group: str) -> None:
    solution = tenant.solution(group)
    tenant.update_solution(solutionArn=solution, performAutoTraining=False)
    with pytest.raises(ResourceInUse, match=r"An update of .* is in progress"):
        tenant.update_solution(solutionArn=solution, performAutoTraining=True)
    with pytest.raises(ResourceInUse, match=r"An update of .* is in progress"):
        tenant.delete_solution(solutionArn=solution)


@pytest.mark.parametrize("params", [{}, {"performAutoTraining": True}, {"solutionUpdateConfig": {}}])
def test_an_update_must_change_something(tenant: Tenant, group: str, params: dict[str, Any]) -> None:
    solution = tenant.solution(group)
    with pytest.raises(InvalidInput, match="changes nothing"):
        tenant.update_solution(solutionArn=solution, **params)


def test_a_failed_update_keeps_the_configuration(tenant: Tenant, group: str) -> None:
    solution = tenant.solution(group)
    tenant.update_solution(solutionArn=solution, performAutoTraining=False)
    tenant.fail("No.")
    shown = tenant.shown(solution)
    assert shown["performAutoTraining"] is True
    assert (shown["latestSolutionUpdate"]["status"], shown["latestSolutionUpdate"]["failureReason"]) == (
        "CREATE FAILED",
        "No.",
    )


def test_real_quotas_allow_ten_solutions_in_a_group(limited: Tenant) -> None:
    group, other = limited.group("films"), limited.group("books")
    for number in range(10):
        limited.solution(group, f"s{number}")
    with pytest.raises(LimitExceeded, match="More than 10 solutions in this dataset group"):
        limited.solution(group, "s10")
    limited.solution(other, "s10")


def test_a_solution_goes_with_its_versions(tenant: Tenant, group: str) -> None:
    solution = tenant.solution(group)
    version = tenant.version(solution)
    tenant.delete_solution(solutionArn=solution)
    assert tenant.status(solution) == "DELETE PENDING"
    tenant.work()
    with pytest.raises(ResourceNotFound):
        tenant.describe_solution_version(solutionVersionArn=version)


def test_a_campaign_keeps_its_solution(tenant: Tenant, group: str) -> None:
    solution = tenant.solution(group)
    campaign = tenant.campaign(tenant.version(solution))
    with pytest.raises(ResourceInUse, match=campaign):
        tenant.delete_solution(solutionArn=solution)
    tenant.delete_campaign(campaignArn=campaign)
    tenant.delete_solution(solutionArn=solution)
    tenant.work()
    assert tenant.list_campaigns() == {"campaigns": []}


def test_a_training_keeps_its_solution(tenant: Tenant, group: str) -> None:
    solution = tenant.solution(group)
    version = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    with pytest.raises(ResourceInUse, match=f"while {version} is in progress"):
        tenant.delete_solution(solutionArn=solution)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"performHPO": True}, "performHPO: aws-user-personalization-v2 has no parameter that can be tuned"),
    ],
)
def test_what_cannot_be_trained_yet_is_refused(
    tenant: Tenant, group: str, params: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        tenant.solution(group, **params)


def test_automl_is_refused_when_a_choice_cannot_be_compared(tenant: Tenant, group: str) -> None:
    config = {"autoMLConfig": {"recipeList": [V2, f"{RECIPES}aws-item-affinity"]}}
    with pytest.raises(InvalidInput, match="aws-item-affinity cannot be compared"):
        tenant.create_solution(name="s", datasetGroupArn=group, performAutoML=True, solutionConfig=config)


@pytest.mark.usefixtures("later")
def test_an_hpo_objective_and_ranges_are_kept_by_the_solution_and_its_versions(tenant: Tenant) -> None:
    objective = {"type": "Maximize", "metricName": "precision_at_25", "metricRegex": "precision=(.*)"}
    masks = {"name": "recency_mask", "values": ["true", "false"]}
    given = {
        "hpoObjective": objective,
        "algorithmHyperParameterRanges": {
            "integerHyperParameterRanges": [],
            "continuousHyperParameterRanges": [],
            "categoricalHyperParameterRanges": [masks],
        },
    }
    solution = tenant.solution(
        tenant.group(), recipe=f"{RECIPES}aws-user-personalization", solutionConfig={"hpoConfig": given}
    )
    version = tenant.version(solution)
    for arn in (solution, version):
        kept = tenant.shown(arn)["solutionConfig"]["hpoConfig"]
        assert kept["hpoObjective"] == objective
        (one,) = kept["algorithmHyperParameterRanges"]["categoricalHyperParameterRanges"]
        assert one["name"].endswith("recency_mask")
        assert one["values"] == ["true", "false"]
