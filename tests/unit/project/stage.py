"""A small project and what could exist of it, as plain values: the material of the tests of planning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from matinee.project.content import chained
from matinee.project.desired import Address, DataFile, Project, Reference, Retraining, Wanted
from matinee.project.observed import Found, Observed
from matinee.project.plan import Plan
from matinee.project.problems import Place

PLACE = Place("m.yaml", 1)
START = datetime(2026, 1, 1, tzinfo=UTC)
ARN = "arn:aws:personalize:us-east-1:123456789012:"
GROUP = Address("group", "group")
SCHEMA = Address("schema", "s")
DATASET = Address("dataset", "ITEMS")
SOLUTION = Address("solution", "p")
VERSION = Address("version", "p")
CAMPAIGN = Address("campaign", "c")
FILTER = Address("filter", "f")
DATA = (DataFile("/d.csv", {"importMode": "FULL"}, None, PLACE),)
PRINTS = ("1" * 64,)
HASH = chained(PRINTS, DATA)[0]


def at(hours: float) -> datetime:
    """A moment, so many hours after the start."""
    return START + timedelta(hours=hours)


def project(**changes: Any) -> Project:
    """A group with one dataset with data, one solution, one campaign and one filter."""
    group = Reference(GROUP)
    wanted = (
        Wanted(GROUP, "g", {}, PLACE),
        Wanted(SCHEMA, "s", {"schema": '{"a": 1}'}, PLACE),
        Wanted(
            DATASET,
            "g-items",
            {"datasetGroupArn": group, "schemaArn": Reference(SCHEMA), "datasetType": "ITEMS"},
            PLACE,
        ),
        Wanted(FILTER, "f", {"datasetGroupArn": group, "filterExpression": "E"}, PLACE),
        Wanted(
            SOLUTION,
            "p",
            {"datasetGroupArn": group, "recipeArn": "arn:aws:personalize:::recipe/r", "performAutoTraining": False},
            PLACE,
        ),
        Wanted(CAMPAIGN, "c", {"solutionVersionArn": Reference(VERSION), "minProvisionedTPS": 1}, PLACE),
    )
    made = Project("m.yaml", None, wanted[0], wanted, {"ITEMS": DATA}, {"p": Retraining.ON_CHANGE})
    return replace(made, **changes)


def with_request(address: Address, **members: Any) -> Project:
    """The project with some members of one request changed."""
    made = project()
    resources = tuple(
        replace(one, request={**one.request, **members}) if one.address == address else one for one in made.resources
    )
    return replace(made, group=resources[0], resources=resources)


def found(address: Address, path: str, **described: Any) -> dict[Address, Found]:
    """One resource that exists and is ACTIVE unless `described` says otherwise."""
    base = {"name": path.split("/")[1], "status": "ACTIVE", "creationDateTime": at(0)}
    return {address: Found(f"{ARN}{path}", {**base, **described})}


def everything(*, without: tuple[Address, ...] = (), **described: Mapping[str, Any]) -> Observed:
    """All of the project as the file has it: imported at hour 1, trained at hour 2. Members by kind in `described`."""
    group = {"datasetGroupArn": f"{ARN}dataset-group/g"}
    listed = {
        **found(GROUP, "dataset-group/g"),
        **found(SCHEMA, "schema/s", schema='{"a": 1}'),
        **found(
            DATASET,
            "dataset/g/ITEMS",
            **{"name": "g-items", "schemaArn": f"{ARN}schema/s", "datasetType": "ITEMS", **group},
        ),
        **found(FILTER, "filter/f", filterExpression="E", **group),
        **found(
            SOLUTION,
            "solution/p",
            recipeArn="arn:aws:personalize:::recipe/r",
            performAutoTraining=False,
            **group,
        ),
        **found(CAMPAIGN, "campaign/c", solutionVersionArn=f"{ARN}solution/p/00000001", minProvisionedTPS=1),
    }
    for address in list(listed):
        one = listed[address]
        listed[address] = Found(one.arn, {**one.described, **described.get(address.kind, {})})
    return Observed(
        found={address: one for address, one in listed.items() if address not in without},
        imports={} if DATASET in without else {"ITEMS": (job(f"g-items-{HASH}"),)},
        versions={} if SOLUTION in without else {"p": (version(1),)},
        fingerprints={"ITEMS": PRINTS},
        taken_schema_names=frozenset({"s"}),
    )


def job(name: str, hour: float = 1, status: str = "ACTIVE", **more: Any) -> Found:
    """An import job that was begun and ended at an hour."""
    described = {"jobName": name, "status": status, "creationDateTime": at(hour), "lastUpdatedDateTime": at(hour)}
    return Found(f"{ARN}dataset-import-job/{name}", {**described, **more})


def version(number: int, hour: float = 2, status: str = "ACTIVE", **more: Any) -> Found:
    """A version of the solution that was asked for at an hour."""
    return Found(f"{ARN}solution/p/{number:08x}", {"status": status, "creationDateTime": at(hour), **more})


def told(plan: Plan) -> list[str]:
    """Verb and address of every action."""
    return [f"{action.verb} {action.address}" for action in plan.actions]
