"""Solutions: a recipe with its configuration. Creating one trains nothing; versions do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matinee.control import quotas, records, updates
from matinee.control.dataset_groups import DATASET_GROUP
from matinee.control.datasets import schemas_of_group
from matinee.control.kind import Answer, Blocker, Kind, Request, given, members
from matinee.control.operation import Operation
from matinee.control.outbox import JobKind
from matinee.control.records import Resource, now_ms
from matinee.control.training_config import check_events, check_schedule, check_solution_config
from matinee.control.training_schedule import restart_after_update
from matinee.errors import InvalidInput
from matinee.recipes import catalogue
from matinee.recipes.automl import check_automl, default_candidates
from matinee.recipes.catalogue import Recipe
from matinee.recipes.checks import check_solution
from matinee.recipes.tuning import check_hpo, with_stages

SOLUTION = Kind(
    word="solution",
    member="solution",
    plural="solutions",
    described=members(
        "name solutionArn performHPO performAutoML performAutoTraining performIncrementalUpdate recipeArn "
        "datasetGroupArn eventType solutionConfig autoMLResult status latestSolutionUpdate"
    ),
    summarised=members("name solutionArn status recipeArn"),
    within="datasetGroupArn",
    blockers=(
        Blocker("campaign"),
        Blocker("experiment"),
        Blocker("solution-version", busy=True),
        Blocker("batch-inference-job", busy=True),
        Blocker("batch-segment-job", busy=True),
    ),
)

#: What a version shows as the solution's latest, and its own List as a summary.
VERSION_SUMMARY = members("solutionVersionArn status trainingMode trainingType failureReason")
_INCREMENTAL = "aws-semantic-similarity"


def create_solution(operation: Operation, request: Request) -> Answer:
    """Keep a recipe and how to train it. ACTIVE at once; with automatic training on, a schedule trains versions."""
    arn = operation.free_arn(f"solution/{request['name']}")
    group = operation.find_usable(DATASET_GROUP, request["datasetGroupArn"])
    recipes = _choices(request)
    config = request.get("solutionConfig", {})
    automatic = request.get("performAutoTraining", True)
    schemas = schemas_of_group(operation, group.arn)
    for recipe in recipes:
        check_solution_config(config, recipe, schemas, event_type=request.get("eventType"))
        _check_incremental(request, recipe)
        check_solution(recipe, request)
    check_hpo(config.get("hpoConfig", {}), recipes)
    check_schedule(config.get("autoTrainingConfig", {}), automatic=automatic)
    operation.leave_room(quotas.SOLUTIONS, group.arn)
    operation.create(
        SOLUTION,
        arn,
        request["name"],
        {
            **given(request, "datasetGroupArn", "recipeArn", "eventType", "performIncrementalUpdate"),
            "performHPO": request.get("performHPO", False),
            "performAutoML": request.get("performAutoML", False),
            "performAutoTraining": automatic,
            "solutionConfig": with_stages(config, recipes),
        },
        status="ACTIVE",
        parent=group.arn,
        uses={"datasetGroupArn": group.arn},
        tags=request.get("tags", ()),
        job=None,
    )
    return {SOLUTION.arn_member: arn}


def describe_solution(operation: Operation, request: Request) -> Answer:
    """One solution, with a summary of its newest version."""
    solution = operation.find(SOLUTION, request["solutionArn"])
    shown = SOLUTION.describe(solution)
    newest = records.newest_child(operation.connection, solution.arn, "solution-version")
    if newest is not None:
        shown["latestSolutionVersion"] = summarise_version(newest)
    return {SOLUTION.member: shown}


def list_solutions(operation: Operation, request: Request) -> Answer:
    """The caller's solutions, or those of one group."""
    return operation.list(SOLUTION, request)


def update_solution(operation: Operation, request: Request) -> Answer:
    """Change automatic training, incremental updates or event weights; everything else is fixed for life."""
    solution = operation.find_usable(SOLUTION, request["solutionArn"])
    updates.refuse_while_running(solution)
    recipe = catalogue.find(recipe_to_train(solution))
    config = request.get("solutionUpdateConfig", {})
    check_events(config.get("eventsConfig", {}), recipe)
    automatic = request.get("performAutoTraining", solution["performAutoTraining"])
    check_schedule(config.get("autoTrainingConfig", {}), automatic=automatic)
    _check_incremental(request, recipe)
    shown = given(request, "performAutoTraining", "performIncrementalUpdate", "solutionUpdateConfig")
    becomes = given(request, "performAutoTraining", "performIncrementalUpdate")
    becomes["solutionConfig"] = _updated(solution["solutionConfig"], config)
    if all(solution.attributes.get(name) == value for name, value in becomes.items()):
        raise InvalidInput(
            f"The update of {solution.arn} changes nothing. Give performAutoTraining, performIncrementalUpdate or "
            "solutionUpdateConfig a value that differs from the present one."
        )
    check_solution(recipe, {"solutionConfig": becomes["solutionConfig"]})
    restart_after_update(operation.connection, solution, becomes, now_ms())
    updates.start(operation.connection, solution, JobKind.UPDATE_SOLUTION, shown=shown, becomes=becomes)
    return {SOLUTION.arn_member: solution.arn}


def delete_solution(operation: Operation, request: Request) -> Answer:
    """Delete a solution with all its versions, once no campaign serves one and none is being trained."""
    return operation.delete(SOLUTION, request)


def summarise_version(version: Resource) -> Answer:
    """A SolutionVersionSummary."""
    columns = {
        "solutionVersionArn": version.arn,
        "status": version.status,
        "failureReason": version.failure_reason,
        "creationDateTime": version.created_at,
        "lastUpdatedDateTime": version.updated_at,
    }
    values = {name: columns.get(name, version.attributes.get(name)) for name in VERSION_SUMMARY}
    return {name: value for name, value in values.items() if value is not None}


def recipe_to_train(solution: Resource) -> str:
    """ARN of a solution's recipe; for AutoML, of the first that it may choose."""
    return str(solution.attributes.get("recipeArn") or candidates(solution)[0])


def candidates(solution: Resource) -> list[str]:
    """ARNs of the recipes that AutoML chooses from: the given ones, else its own."""
    named = solution["solutionConfig"].get("autoMLConfig", {}).get("recipeList")
    return list(dict.fromkeys(named)) if named else [recipe.arn for recipe in default_candidates()]


def _choices(request: Request) -> list[Recipe]:
    """The recipe of a new solution; with AutoML, those to choose from."""
    named = request.get("recipeArn")
    if request.get("performAutoML"):
        if named is not None:
            raise InvalidInput("recipeArn is given although performAutoML is true. Leave one of them out.")
        config = request.get("solutionConfig", {})
        named_recipes = config.get("autoMLConfig", {}).get("recipeList")
        recipes = [_offered(arn) for arn in dict.fromkeys(named_recipes)] if named_recipes else default_candidates()
        check_automl(config, recipes)
        return list(recipes)
    if named is None:
        raise InvalidInput("recipeArn is missing. Name a recipe of ListRecipes, or set performAutoML.")
    return [_offered(named)]


def _offered(arn: str) -> Recipe:
    """A recipe that a new solution may have."""
    recipe = catalogue.find(arn)
    if recipe.domain is not None:
        raise InvalidInput(f"{recipe.arn} is a use case of domain {recipe.domain}. Use it with CreateRecommender.")
    if not recipe.listed:
        raise InvalidInput(f"{recipe.name} {recipe.why}")
    return recipe


def _check_incremental(request: Request, recipe: Recipe) -> None:
    if request.get("performIncrementalUpdate") and not recipe.incremental_update:
        raise InvalidInput(f"performIncrementalUpdate is for {_INCREMENTAL} only, not for {recipe.name}.")


def _updated(config: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    return {**config, **given(change, "autoTrainingConfig", "eventsConfig")}


OPERATIONS = (create_solution, describe_solution, list_solutions, update_solution, delete_solution)
