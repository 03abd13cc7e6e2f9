"""Recommenders: a use case of a domain, trained and deployed in one step; can be stopped and started."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from matinee.control import outbox, places, quotas, states, updates
from matinee.control.dataset_groups import DATASET_GROUP
from matinee.control.datasets import schemas_of_group
from matinee.control.kind import Answer, Kind, Request, given, members
from matinee.control.operation import Operation
from matinee.control.outbox import JobKind
from matinee.control.records import Resource
from matinee.control.serving_config import check_exploration
from matinee.control.training_config import check_columns
from matinee.errors import InvalidInput, ResourceInUse
from matinee.recipes import catalogue
from matinee.recipes.catalogue import Recipe
from matinee.recipes.checks import check_solution

RECOMMENDER = Kind(
    word="recommender",
    member="recommender",
    plural="recommenders",
    described=members(
        "recommenderArn datasetGroupArn name recipeArn recommenderConfig status failureReason latestRecommenderUpdate"
    ),
    summarised=members("name recommenderArn datasetGroupArn recipeArn recommenderConfig status"),
    within="datasetGroupArn",
)

#: Metrics are shown while there is a model that is not about to go.
_WITH_METRICS = ("ACTIVE", "INACTIVE", "STOP PENDING", "STOP IN_PROGRESS", "START PENDING", "START IN_PROGRESS")


def create_recommender(operation: Operation, request: Request) -> Answer:
    """Train and deploy a use case of the group's domain.

    The job's payload: `datasetGroupArn`, `recipeArn`, `recommenderConfig`, and `artifact`, the key prefix to write to.
    `lifecycle.succeed` is given `private` `artifact` and `metrics`.
    """
    arn = operation.free_arn(f"recommender/{request['name']}")
    group = operation.find_usable(DATASET_GROUP, request["datasetGroupArn"])
    recipe = catalogue.find(request["recipeArn"])
    _check_domain(group, recipe)
    config = _with_defaults(request.get("recommenderConfig", {}))
    _check_config(operation, group.arn, config, recipe)
    check_solution(recipe, {})
    operation.leave_room(quotas.RECOMMENDERS, group.arn)
    caller = operation.caller
    attributes = {**given(request, "datasetGroupArn", "recipeArn"), "recommenderConfig": config}
    operation.create(
        RECOMMENDER,
        arn,
        request["name"],
        attributes,
        parent=group.arn,
        uses={"datasetGroupArn": group.arn},
        tags=request.get("tags", ()),
        job=JobKind.RECOMMENDER,
        payload={**attributes, "artifact": _new_prefix(caller.account, caller.region, request["name"])},
    )
    return {RECOMMENDER.arn_member: arn}


def describe_recommender(operation: Operation, request: Request) -> Answer:
    """One recommender; `modelMetrics` once it is trained, `latestRecommenderUpdate` from the first update on."""
    recommender = operation.find(RECOMMENDER, request["recommenderArn"])
    shown = RECOMMENDER.describe(recommender)
    metrics = recommender.private.get("metrics")
    if metrics and recommender.status in _WITH_METRICS:
        shown["modelMetrics"] = {name: round(float(value), 4) for name, value in metrics.items()}
    return {RECOMMENDER.member: shown}


def list_recommenders(operation: Operation, request: Request) -> Answer:
    """The caller's recommenders, or those of one group."""
    return operation.list(RECOMMENDER, request)


def update_recommender(operation: Operation, request: Request) -> Answer:
    """Change the configuration; the old one serves until that is done.

    The job's payload: as a creation's, and `retrain`, whether the training columns changed: only then is there
    anything to train, by a job of another kind, which waits its turn among the trainings.
    """
    recommender = operation.find(RECOMMENDER, request["recommenderArn"])
    _require(recommender, "updated", "ACTIVE", "INACTIVE")
    updates.refuse_while_running(recommender)
    config = _with_defaults(request["recommenderConfig"])
    old = recommender["recommenderConfig"]
    if config == old:
        raise InvalidInput(
            f"The update of {recommender.arn} changes nothing. Give a recommenderConfig that differs from the present "
            "one."
        )
    recipe = catalogue.find(recommender["recipeArn"])
    _check_config(operation, recommender["datasetGroupArn"], config, recipe)
    change = {"recommenderConfig": config}
    retrain = config.get("trainingDataConfig") != old.get("trainingDataConfig")
    updates.start(
        operation.connection,
        recommender,
        JobKind.RETRAIN_RECOMMENDER if retrain else JobKind.UPDATE_RECOMMENDER,
        shown=change,
        becomes=change,
        payload={
            **given(recommender.attributes, "datasetGroupArn", "recipeArn"),
            **change,
            "retrain": retrain,
            "artifact": _new_prefix(recommender.account, recommender.region, recommender.name),
        },
    )
    return {RECOMMENDER.arn_member: recommender.arn}


def start_recommender(operation: Operation, request: Request) -> Answer:
    """Serve again with the model there is."""
    return _switch(operation, request, "started", "INACTIVE", "START PENDING", JobKind.START_RECOMMENDER)


def stop_recommender(operation: Operation, request: Request) -> Answer:
    """Stop serving and retraining; the model stays."""
    return _switch(operation, request, "stopped", "ACTIVE", "STOP PENDING", JobKind.STOP_RECOMMENDER)


def refresh(connection: sa.Connection, recommender: Resource) -> str:
    """Write the job of a weekly training; its payload is as a creation's. Returns the job's id.

    No update shows it: the present model answers until the new one is there, and after that the new one.
    """
    payload = {
        **given(recommender.attributes, "datasetGroupArn", "recipeArn", "recommenderConfig"),
        "artifact": _new_prefix(recommender.account, recommender.region, recommender.name),
    }
    return outbox.enqueue(connection, JobKind.REFRESH_RECOMMENDER, recommender.arn, payload)


def delete_recommender(operation: Operation, request: Request) -> Answer:
    """Delete a recommender with its model."""
    return operation.delete(RECOMMENDER, request)


def _switch(operation: Operation, request: Request, done: str, from_: str, to: str, job: JobKind) -> Answer:
    recommender = operation.find(RECOMMENDER, request["recommenderArn"])
    _require(recommender, done, from_)
    updates.refuse_while_running(recommender)
    states.advance(operation.connection, recommender.arn, to)
    outbox.enqueue(operation.connection, job, recommender.arn)
    return {RECOMMENDER.arn_member: recommender.arn}


def _require(recommender: Resource, done: str, *allowed: str) -> None:
    if recommender.status not in allowed:
        raise ResourceInUse(
            f"{recommender.arn} is in status {recommender.status} and cannot be {done} now. "
            f"It must be {' or '.join(allowed)}."
        )


def _check_domain(group: Resource, recipe: Recipe) -> None:
    domain = group.attributes.get("domain")
    if domain is None:
        raise InvalidInput("Please use a domains-specific Dataset Group to create the Recommender")
    if recipe.domain != domain:
        raise InvalidInput(
            f"{recipe.arn} is {'not a use case' if recipe.domain is None else f'for domain {recipe.domain}'}; the "
            f"dataset group {group.arn} is of domain {domain}. Use a recipe of ListRecipes with that domain."
        )


def _check_config(operation: Operation, group_arn: str, config: Mapping[str, Any], recipe: Recipe) -> None:
    check_exploration(config, recipe)
    check_columns(config.get("trainingDataConfig", {}), schemas_of_group(operation, group_arn))


def _with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """Programs read minRecommendationRequestsPerSecond and send the object back: it is always there."""
    return {"minRecommendationRequestsPerSecond": 1, **config}


def _new_prefix(account: str, region: str, name: str) -> str:
    """A folder of its own for each training, so that the model in use stays whole."""
    return f"{places.recommender_prefix(account, region, name)}/{secrets.token_hex(4)}"


OPERATIONS = (
    create_recommender,
    describe_recommender,
    list_recommenders,
    update_recommender,
    start_recommender,
    stop_recommender,
    delete_recommender,
)
