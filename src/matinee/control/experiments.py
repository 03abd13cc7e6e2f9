"""Experiments on campaigns: some users are answered by another solution version, or by two versions in one list.

An experiment is a resource inside its campaign. It is no operation of the service's API: `matinee experiment` manages
it. While it runs it uses its versions, so that they are neither deleted nor retired.
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from matinee.control import campaigns, records
from matinee.control.campaigns import CAMPAIGN
from matinee.control.kind import Kind, members
from matinee.control.operation import Operation
from matinee.control.records import Resource, now_ms
from matinee.control.solution_versions import SOLUTION_VERSION
from matinee.errors import InvalidInput, ResourceInUse, ResourceNotFound
from matinee.recipes import catalogue

KIND = "experiment"
_EXPERIMENT = Kind(KIND, "experiment", "experiments", members("name experimentArn"), members("name experimentArn"))
RUNNING, STOPPED, PROMOTED = "RUNNING", "STOPPED", "PROMOTED"
SPLIT, INTERLEAVE = "split", "interleave"
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,62}")
_MOST_ARMS = 10


@dataclass(frozen=True)
class Design:
    """What an experiment is to be.

    `versions` are solution versions, the first one what the others are compared with; `shares` of the users, for each.
    `clicks` and `conversions` are event types; a user's outcomes are those within `window` seconds of their first list.
    `alpha` is the chance of ever naming a difference that is not there; `users` the number that is planned for.
    """

    name: str
    mode: str
    versions: tuple[str, ...]
    shares: tuple[float, ...]
    clicks: tuple[str, ...]
    conversions: tuple[str, ...]
    window: int
    alpha: float
    users: int

    def check(self) -> None:
        """Raise `InvalidInput` naming what does not fit."""
        if not _NAME.fullmatch(self.name):
            raise InvalidInput(f"The name {self.name!r} is not valid: use 1 to 63 letters, digits, - and _.")
        if self.mode not in (SPLIT, INTERLEAVE):
            raise InvalidInput(f"The mode must be {SPLIT} or {INTERLEAVE}, not {self.mode!r}.")
        most = 2 if self.mode == INTERLEAVE else _MOST_ARMS
        if not 2 <= len(self.versions) <= most or len(set(self.versions)) != len(self.versions):
            raise InvalidInput(f"The mode {self.mode} takes 2 to {most} different versions, not {len(self.versions)}.")
        if len(self.shares) != len(self.versions) or min(self.shares) <= 0 or not math.isclose(sum(self.shares), 1):
            raise InvalidInput("The shares must be positive, one for each version, and add up to 1.")
        if not self.clicks:
            raise InvalidInput("Name at least one event type that counts as a click.")
        if not 0 < self.alpha < 1 or self.window < 1 or self.users < 1:
            raise InvalidInput("alpha must lie between 0 and 1; the window and the planned users must be above 0.")


def create_experiment(operation: Operation, campaign_arn: str, design: Design) -> Resource:
    """Start an experiment on an ACTIVE campaign, one at a time. All versions answer the same call, in one group."""
    design.check()
    campaign = operation.find_usable(CAMPAIGN, campaign_arn)
    arn = operation.free_arn(f"{KIND}/{design.name}")
    running = running_experiment(operation.connection, campaign_arn)
    if running is not None:
        raise ResourceInUse(f"{campaign_arn} has the experiment {running.name} running already. Stop that first.")
    found = [operation.find_usable(SOLUTION_VERSION, version) for version in design.versions]
    present = operation.find(SOLUTION_VERSION, campaign["solutionVersionArn"])
    if design.versions[0] != present.arn:
        raise InvalidInput(f"The first version must be what the campaign serves: {present.arn}.")
    for version in found:
        if version["datasetGroupArn"] != present["datasetGroupArn"]:
            raise InvalidInput(f"{version.arn} belongs to another dataset group than the campaign.")
        if _recipe(version).call is not _recipe(present).call:
            raise InvalidInput(f"{version.arn} does not answer the call that the campaign's version answers.")
    attributes = {
        "campaignArn": campaign_arn,
        "datasetGroupArn": present["datasetGroupArn"],
        "mode": design.mode,
        "arms": [
            {"solutionVersionArn": version, "share": share}
            for version, share in zip(design.versions, design.shares, strict=True)
        ],
        "salt": secrets.token_hex(8),
        "clicks": list(design.clicks),
        "conversions": list(design.conversions),
        "window": design.window,
        "alpha": design.alpha,
        "users": design.users,
        "startedAt": now_ms(),
    }
    roles = {f"arm{number}": version.arn for number, version in enumerate(found)}
    roles |= {f"solution{number}": version["solutionArn"] for number, version in enumerate(found)}
    return operation.create(
        _EXPERIMENT, arn, design.name, attributes, status=RUNNING, parent=campaign_arn, uses=roles, job=None
    )


def stop_experiment(operation: Operation, name: str) -> Resource:
    """End an experiment: everyone is answered by the campaign's version again. What was counted stays."""
    found = find_experiment(operation, name)
    if found.status != RUNNING:
        raise InvalidInput(f"The experiment {name} is {found.status}, not {RUNNING}.")
    roles = [f"{word}{number}" for word in ("arm", "solution") for number in range(len(found["arms"]))]
    records.unrefer(operation.connection, found.arn, *roles)
    stopped = {**found.attributes, "stoppedAt": now_ms()}
    return records.change(operation.connection, found, status=STOPPED, attributes=stopped)


def promote(operation: Operation, name: str, arm: int) -> Resource:
    """Have the campaign serve an arm's version to everyone, by UpdateCampaign; a running experiment is stopped."""
    found = find_experiment(operation, name)
    if found.status == PROMOTED:
        raise InvalidInput(f"The experiment {name} is {PROMOTED} already.")
    if not 0 <= arm < len(found["arms"]):
        raise InvalidInput(f"The experiment {name} has the arms 0 to {len(found['arms']) - 1}, no arm {arm}.")
    if found.status == RUNNING:
        found = stop_experiment(operation, name)
    version = found["arms"][arm]["solutionVersionArn"]
    campaign = operation.find(CAMPAIGN, found["campaignArn"])
    if campaign["solutionVersionArn"] != version:
        campaigns.update_campaign(operation, {"campaignArn": campaign.arn, "solutionVersionArn": version})
    return records.change(
        operation.connection, found, status=PROMOTED, attributes={**found.attributes, "promotedArm": arm}
    )


def find_experiment(operation: Operation, name: str) -> Resource:
    """The caller's experiment of this name; raises `ResourceNotFound`."""
    found = records.find(operation.connection, operation.caller.arn(f"{KIND}/{name}"))
    if found is None:
        raise ResourceNotFound(f"There is no experiment {name}.")
    return found


def experiments(operation: Operation) -> list[Resource]:
    """The caller's experiments, oldest first."""
    caller = operation.caller
    return records.select(operation.connection, account=caller.account, region=caller.region, kind=KIND)


def running_experiment(connection: sa.Connection, campaign_arn: str) -> Resource | None:
    """The experiment that runs on a campaign, if one does."""
    return records.newest_child(connection, campaign_arn, KIND, RUNNING)


def versions_of(experiment: Resource) -> tuple[str, ...]:
    """The ARNs of its arms' solution versions."""
    arms: Sequence[Mapping[str, Any]] = experiment["arms"]
    return tuple(str(arm["solutionVersionArn"]) for arm in arms)


def _recipe(version: Resource) -> catalogue.Recipe:
    return catalogue.find(version["recipeArn"])
