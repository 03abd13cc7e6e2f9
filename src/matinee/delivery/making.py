"""Making a rule: everything it names is checked now, so that a delivery fails for the destination's sake only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from matinee.control import records, states
from matinee.control.context import Caller
from matinee.control.datasets import schemas_of_group
from matinee.control.operation import Operation
from matinee.control.records import Resource
from matinee.delivery import rules
from matinee.delivery.destinations import check_destination, is_webhook
from matinee.delivery.rules import Rule, Terms
from matinee.delivery.signatures import new_secret
from matinee.errors import InvalidInput, ResourceNotFound
from matinee.filters.checking import check_occasion
from matinee.filters.parsing import parse
from matinee.filters.syntax import Target
from matinee.filters.written import Alternatives
from matinee.recipes import catalogue
from matinee.recipes.recipe import Call, Recipe
from matinee.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_ARN = re.compile(r"arn:aws:personalize:([a-z0-9-]{1,32}):(\d{12}):(campaign|recommender)/.+")
_MOST_RESULTS = 500


@dataclass(frozen=True)
class Wanted:
    """A rule as somebody asks for it. `source` is the ARN of a campaign or recommender."""

    name: str
    source: str
    to: str
    event_type: str | None = None
    when: str | None = None
    tracker: str | None = None
    filter_arn: str | None = None
    results: int = 25


def make_rule(connection: sa.Connection, settings: Settings, wanted: Wanted) -> Rule:
    """Check and write a rule; one for a webhook gets a secret. Raises `ApiError` saying what is wrong.

    A condition that cannot be read is refused with the character at which it goes wrong.
    """
    if not _NAME.fullmatch(wanted.name):
        raise InvalidInput(f"A rule's name has letters, digits, - and _, at most 63; {wanted.name!r} has not.")
    if not 1 <= wanted.results <= _MOST_RESULTS:
        raise InvalidInput(f"A rule recommends from 1 to {_MOST_RESULTS} items, not {wanted.results}.")
    check_destination(wanted.to, settings)
    caller = _caller(wanted.source)
    source = _usable(connection, caller, wanted.source)
    model = source if source.kind == "recommender" else _usable(connection, caller, source["solutionVersionArn"])
    recipe = catalogue.find(model["recipeArn"])
    if recipe.call is not Call.RECOMMENDATIONS:
        raise InvalidInput(f"{source.arn} uses {recipe.name}, which answers {recipe.call} and cannot be delivered.")
    group = str(model["datasetGroupArn"])
    tracking_id = _tracking_id(connection, caller, wanted.tracker, group)
    _check_filter(connection, caller, wanted.filter_arn, group)
    terms = Terms(
        to=wanted.to,
        event_type=wanted.event_type,
        when=wanted.when,
        checked=_checked(Operation(connection, caller, settings), wanted.when, group),
        results=wanted.results,
        filter_arn=wanted.filter_arn,
        tracking_id=tracking_id,
        needs_item=_needs_item(recipe),
        secrets=(new_secret(),) if is_webhook(wanted.to) else (),
    )
    return rules.add(connection, caller, wanted.name, group, source.arn, wanted.tracker, terms)


def _needs_item(recipe: Recipe) -> bool:
    return "itemId" in recipe.requires


def _caller(arn: str) -> Caller:
    match = _ARN.fullmatch(arn)
    if match is None:
        raise InvalidInput(f"{arn!r} is the ARN of no campaign and no recommender.")
    return Caller(account=match.group(2), region=match.group(1))


def _usable(connection: sa.Connection, caller: Caller, arn: str) -> Resource:
    found = records.find(connection, arn)
    if found is None or (found.account, found.region) != (caller.account, caller.region):
        raise ResourceNotFound.of(arn)
    if found.status in (*states.DELETING, *states.FAILED):
        raise InvalidInput(f"{arn} is in status {found.status} and cannot be used.")
    return found


def _tracking_id(connection: sa.Connection, caller: Caller, tracker: str | None, group: str) -> str | None:
    if tracker is None:
        return None
    found = _usable(connection, caller, tracker)
    if found.kind != "event-tracker" or found["datasetGroupArn"] != group:
        raise InvalidInput(f"{tracker} is no event tracker of {group}, whose events the rule looks at.")
    return str(found["trackingId"])


def _check_filter(connection: sa.Connection, caller: Caller, arn: str | None, group: str) -> None:
    if arn is None:
        return
    found = _usable(connection, caller, arn)
    if found.kind != "filter" or found["datasetGroupArn"] != group:
        raise InvalidInput(f"{arn} is no filter of {group}.")
    tree = parse(found["filterExpression"])
    if tree.target is not Target.ITEM or tree.placeholders():
        raise InvalidInput(f"{arn} must filter items and have no placeholders: nobody gives values with an event.")


def _checked(operation: Operation, when: str | None, group: str) -> Alternatives:
    schemas: Mapping[str, Any] = schemas_of_group(operation, group)
    return () if when is None else check_occasion(when, schemas)
