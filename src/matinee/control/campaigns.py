"""Campaigns: a version that answers, and updates during which the old one keeps answering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from matinee.control import quotas, records, states, updates
from matinee.control.kind import Answer, Kind, Request, given, members
from matinee.control.operation import Operation
from matinee.control.outbox import JobKind
from matinee.control.records import Resource
from matinee.control.serving_config import check_exploration, check_influence
from matinee.control.solution_versions import SOLUTION_VERSION, newest_active
from matinee.control.solutions import SOLUTION, recipe_to_train
from matinee.errors import InvalidInput, ResourceInUse
from matinee.recipes import catalogue

CAMPAIGN = Kind(
    word="campaign",
    member="campaign",
    plural="campaigns",
    described=members(
        "name campaignArn solutionVersionArn minProvisionedTPS campaignConfig status failureReason latestCampaignUpdate"
    ),
    summarised=members("name campaignArn status failureReason"),
    within="solutionArn",
)

LATEST = "/$LATEST"
#: What an update can change.
_CHANGEABLE = ("solutionVersionArn", "minProvisionedTPS", "campaignConfig")


def create_campaign(operation: Operation, request: Request) -> Answer:
    """Deploy a version. The job's payload: `solutionVersionArn`, `minProvisionedTPS`, `campaignConfig`."""
    arn = operation.free_arn(f"campaign/{request['name']}")
    version = _version(operation, request["solutionVersionArn"])
    config = request.get("campaignConfig")
    _check_config(version, config or {}, follows=request["solutionVersionArn"].endswith(LATEST))
    operation.leave_room(quotas.CAMPAIGNS, version["datasetGroupArn"])
    attributes = {
        "solutionVersionArn": version.arn,
        "minProvisionedTPS": request.get("minProvisionedTPS", 1),
        **given(request, "campaignConfig"),
    }
    operation.create(
        CAMPAIGN,
        arn,
        request["name"],
        attributes,
        parent=version["solutionArn"],
        uses=_uses(version),
        tags=request.get("tags", ()),
        job=JobKind.DEPLOY,
        payload=attributes,
    )
    return {CAMPAIGN.arn_member: arn}


def describe_campaign(operation: Operation, request: Request) -> Answer:
    """One campaign; `latestCampaignUpdate` is there from the first update on."""
    return operation.describe(CAMPAIGN, request)


def list_campaigns(operation: Operation, request: Request) -> Answer:
    """The caller's campaigns, or those of one solution, or of one version when its ARN is given."""
    narrowed = request.get("solutionArn", "")
    of_version = narrowed.count("/") > 1
    return operation.list(CAMPAIGN, request, arns=records.users_of(narrowed) if of_version else None)


def update_campaign(operation: Operation, request: Request) -> Answer:
    """Change version, capacity or configuration; the campaign stays ACTIVE and as it was until that is done."""
    campaign = operation.find(CAMPAIGN, request["campaignArn"])
    if campaign.status not in ("ACTIVE", "CREATE FAILED"):
        raise ResourceInUse(f"{campaign.arn} is in status {campaign.status}. Wait until it is ACTIVE, then try again.")
    updates.refuse_while_running(campaign)
    named = request.get("solutionVersionArn")
    if named is None:
        version = operation.find(SOLUTION_VERSION, campaign["solutionVersionArn"])
    else:
        version = _version(operation, named)
        _check_group(campaign, version, operation)
    config = request.get("campaignConfig", campaign.attributes.get("campaignConfig", {}))
    followed = campaign.attributes.get("campaignConfig", {}).get("syncWithLatestSolutionVersion", False)
    _check_config(version, config, follows=followed if named is None else named.endswith(LATEST))
    becomes = {**given(request, *_CHANGEABLE), "solutionVersionArn": version.arn}
    if all(campaign.attributes.get(member) == value for member, value in becomes.items()):
        raise InvalidInput(
            f"The update of {campaign.arn} changes nothing. Give solutionVersionArn, minProvisionedTPS or "
            "campaignConfig a value that differs from the present one."
        )
    start_update(operation.connection, campaign, version, becomes)
    return {CAMPAIGN.arn_member: campaign.arn}


def delete_campaign(operation: Operation, request: Request) -> Answer:
    """Stop serving; the version stays."""
    return operation.delete(CAMPAIGN, request)


def start_update(connection: sa.Connection, campaign: Resource, version: Resource, becomes: Mapping[str, Any]) -> None:
    """Show a pending update and write its job, whose payload is as a creation's."""
    shown = {**given(campaign.attributes, *_CHANGEABLE), **becomes}
    updates.start(
        connection,
        campaign,
        JobKind.UPDATE_CAMPAIGN,
        shown=shown,
        becomes=becomes,
        uses=_uses(version),
        parent=version["solutionArn"],
        payload=shown,
    )


def _version(operation: Operation, arn: str) -> Resource:
    """The version to serve: named, or the newest ACTIVE one of `<solution>/$LATEST`; its solution must be ACTIVE."""
    if arn.endswith(LATEST):
        solution = operation.find_usable(SOLUTION, arn.removesuffix(LATEST))
        version = newest_active(operation.connection, solution.arn)
        if version is not None:
            return version
        pending = records.newest_child(operation.connection, solution.arn, SOLUTION_VERSION.word, *states.BUSY)
        if pending is not None:
            raise ResourceInUse(f"{pending.arn} is in status {pending.status}. Wait until it is ACTIVE.")
        raise InvalidInput(f"{solution.arn} has no ACTIVE version. Train one with CreateSolutionVersion first.")
    version = operation.find_usable(SOLUTION_VERSION, arn)
    operation.find_usable(SOLUTION, version["solutionArn"])
    return version


def _check_config(version: Resource, config: Mapping[str, Any], *, follows: bool) -> None:
    recipe = catalogue.find(recipe_to_train(version))
    if not recipe.deployable:
        raise InvalidInput(
            f"A campaign cannot serve {recipe.name}, a {recipe.recipe_type} recipe. Use CreateBatchSegmentJob."
        )
    check_exploration(config, recipe)
    check_influence(config, recipe)
    if config.get("syncWithLatestSolutionVersion") and not follows:
        raise InvalidInput(
            "syncWithLatestSolutionVersion needs solutionVersionArn to end in /$LATEST: <solution ARN>/$LATEST."
        )


def _check_group(campaign: Resource, version: Resource, operation: Operation) -> None:
    """Filters, trackers and quotas are the dataset group's, so a campaign stays in it."""
    present = operation.find(SOLUTION_VERSION, campaign["solutionVersionArn"])
    if present["datasetGroupArn"] != version["datasetGroupArn"]:
        raise InvalidInput(
            f"{version.arn} belongs to {version['datasetGroupArn']}, the campaign to {present['datasetGroupArn']}. "
            "Use a version of the same dataset group, or create another campaign."
        )


def _uses(version: Resource) -> dict[str, str]:
    return {
        "solutionVersionArn": version.arn,
        "solutionArn": version["solutionArn"],
        "datasetGroupArn": version["datasetGroupArn"],
    }


OPERATIONS = (create_campaign, describe_campaign, list_campaigns, update_campaign, delete_campaign)
