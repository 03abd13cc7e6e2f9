"""What batch inference and batch segment jobs have in common: version, filter, places, numbers."""

from __future__ import annotations

from typing import Any

from matinee.control.filters import FILTER
from matinee.control.kind import Request, given
from matinee.control.locations import check_batch
from matinee.control.operation import Operation
from matinee.control.records import Resource
from matinee.control.solution_versions import SOLUTION_VERSION
from matinee.control.solutions import SOLUTION
from matinee.errors import InvalidInput
from matinee.filters.parsing import parse
from matinee.filters.syntax import Filter, Target

DEFAULT_RESULTS = 25


def trained_version(operation: Operation, arn: str) -> Resource:
    """The ACTIVE version that a batch job asks, its solution ACTIVE too."""
    version = operation.find_usable(SOLUTION_VERSION, arn)
    operation.find_usable(SOLUTION, version["solutionArn"])
    return version


def check_filter(operation: Operation, request: Request, version: Resource, target: Target) -> Filter | None:
    """`filterArn`: an ACTIVE filter of the version's group that filters what the job yields; what it says."""
    if "filterArn" not in request:
        return None
    chosen = operation.find_usable(FILTER, request["filterArn"])
    if chosen["datasetGroupArn"] != version["datasetGroupArn"]:
        raise InvalidInput(
            f"The filter {chosen.arn} belongs to {chosen['datasetGroupArn']}, the solution version to "
            f"{version['datasetGroupArn']}. Use a filter of the same dataset group."
        )
    tree = parse(chosen["filterExpression"])
    wrong = {expression.target for expression in tree.expressions} - {target}
    if wrong:
        raise InvalidInput(f"The filter {chosen.arn} filters {min(wrong).value}; this job needs one of {target.value}.")
    return tree


def check_results(request: Request, most: int) -> int:
    """`numResults`: 1 to `most`, 25 when not given."""
    number = int(request.get("numResults", DEFAULT_RESULTS))
    if not 1 <= number <= most:
        raise InvalidInput(f"numResults is {number}; it must be from 1 to {most}.")
    return number


def shared_attributes(request: Request, version: Resource, most: int) -> dict[str, Any]:
    """The members that both kinds of job show, their places checked."""
    check_batch(request)
    return {
        **given(request, "filterArn", "jobInput", "jobOutput", "roleArn"),
        "solutionVersionArn": version.arn,
        "numResults": check_results(request, most),
    }


def uses(request: Request, version: Resource) -> dict[str, str]:
    """What a batch job uses, member to ARN."""
    return {
        **given(request, "filterArn"),
        "solutionVersionArn": version.arn,
        "solutionArn": version["solutionArn"],
        "datasetGroupArn": version["datasetGroupArn"],
    }
