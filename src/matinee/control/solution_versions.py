"""Solution versions: trained models of a solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import sqlalchemy as sa

from matinee.control import outbox, places, quotas, records, states
from matinee.control.arrivals import interactions_arrived, items_arrived
from matinee.control.auto_update import data_seen, newest_whole_training
from matinee.control.identifiers import new_hex_arn
from matinee.control.kind import Answer, Kind, Request, given, members
from matinee.control.operation import Operation
from matinee.control.outbox import JobKind
from matinee.control.records import Resource
from matinee.control.solutions import SOLUTION, VERSION_SUMMARY, candidates
from matinee.control.training_schedule import DAY
from matinee.errors import InvalidInput, ResourceAlreadyExists, ResourceInUse
from matinee.recipes import catalogue
from matinee.recipes.checks import check_training_mode

SOLUTION_VERSION = Kind(
    word="solution-version",
    member="solutionVersion",
    plural="solutionVersions",
    described=members(
        "name solutionVersionArn solutionArn performHPO performAutoML performIncrementalUpdate recipeArn eventType "
        "datasetGroupArn solutionConfig trainingHours trainingMode tunedHPOParams status failureReason trainingType"
    ),
    summarised=VERSION_SUMMARY,
    within="solutionArn",
)

#: What a version keeps of its solution as it was when training began.
_COPIED = (
    "datasetGroupArn",
    "recipeArn",
    "eventType",
    "performHPO",
    "performAutoML",
    "performIncrementalUpdate",
    "solutionConfig",
)


#: Automatic trainings tune anew when it is so long ago, milliseconds (spec 4.3).
_HPO_PERIOD = 90 * DAY
#: Where a version's `private` keeps when the parameters were tuned that it took over.
TUNED_AT = "tuned_at"


def create_solution_version(operation: Operation, request: Request) -> Answer:
    """Train a version of a solution from the data there is now."""
    solution = operation.find_usable(SOLUTION, request["solutionArn"])
    mode = request.get("trainingMode", "FULL")
    updates: Resource | None = None
    if mode == "AUTOTRAIN":
        raise InvalidInput("trainingMode AUTOTRAIN marks automatic trainings. Use FULL or UPDATE.")
    if mode == "UPDATE":
        updates = _to_update(operation, solution)
    _refuse_taken_name(operation, solution, request.get("name"))
    version = train(
        operation,
        solution,
        mode=mode,
        training_type="MANUAL",
        name=request.get("name"),
        tags=request.get("tags", ()),
        updates=updates,
    )
    return {SOLUTION_VERSION.arn_member: version.arn}


def train(
    operation: Operation,
    solution: Resource,
    *,
    mode: str,
    training_type: str,
    name: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
    updates: Resource | None = None,
    reused: Mapping[str, object] = MappingProxyType({}),
) -> Resource:
    """Write a version and its training job; a schedule calls it with mode AUTOTRAIN and type AUTOMATIC.

    The job's payload: `solutionArn`, the members copied from the solution, `trainingMode`, `recipes` (the ARNs to
    choose from: one, or AutoML's), `artifact`, the key prefix to write to, and for an UPDATE `updates`, the ARN of the
    version that is brought up to date; `reused` adds what `tuned_lately` gives. `lifecycle.succeed` is given
    `attributes` `trainingHours` and `tunedHPOParams` (with AutoML also `recipeArn`, the chosen one) and `private`
    `artifact` and `metrics`.
    """
    operation.leave_room(quotas.SOLUTION_VERSIONS)
    arn = new_hex_arn(operation, f"solution/{solution.name}")
    suffix = arn.rpartition("/")[2]
    copied = given(solution.attributes, *_COPIED)
    uses = {"solutionArn": solution.arn, "datasetGroupArn": solution["datasetGroupArn"]}
    recipes = candidates(solution) if solution["performAutoML"] else [solution["recipeArn"]]
    return operation.create(
        SOLUTION_VERSION,
        arn,
        name or f"{solution.name}/{suffix}",
        {**copied, "solutionArn": solution.arn, "trainingMode": mode, "trainingType": training_type},
        parent=solution.arn,
        uses=uses,
        tags=tags,
        job=JobKind.TRAIN,
        payload={
            **copied,
            "solutionArn": solution.arn,
            "trainingMode": mode,
            "recipes": recipes,
            **({} if updates is None else {"updates": updates.arn}),
            **reused,
            "artifact": places.artifact_prefix(solution.account, solution.region, solution.name, suffix),
        },
    )


def tuned_lately(connection: sa.Connection, solution: Resource, now: int) -> dict[str, object]:
    """What HPO found for the newest whole training of a solution that tunes, where an automatic one takes it over.

    `tunedHPOParams`, and `tunedAt`, the moment in epoch milliseconds; nothing when that is 90 days ago (spec 4.3), or
    the solution has been configured anew.
    """
    newest = newest_whole_training(connection, solution.arn)
    if newest is None or not solution["performHPO"] or solution["performAutoML"]:
        return {}
    found, at = newest.attributes.get("tunedHPOParams"), int(newest.private.get(TUNED_AT, newest.created_at))
    if not found or now - at >= _HPO_PERIOD or _trained_as(newest) != _trained_as(solution):
        return {}
    return {"tunedHPOParams": found, "tunedAt": at}


def describe_solution_version(operation: Operation, request: Request) -> Answer:
    """One version."""
    return operation.describe(SOLUTION_VERSION, request)


def list_solution_versions(operation: Operation, request: Request) -> Answer:
    """The caller's versions, or those of one solution, which must exist."""
    if request.get("solutionArn") is not None:
        operation.find(SOLUTION, request["solutionArn"])
    return operation.list(SOLUTION_VERSION, request)


def stop_solution_version_creation(operation: Operation, request: Request) -> Answer:
    """Stop a training: at once while it is pending, otherwise as soon as the job notices. It cannot be resumed."""
    version = operation.find(SOLUTION_VERSION, request["solutionVersionArn"])
    if version.status == "CREATE PENDING":
        states.advance(operation.connection, version.arn, "CREATE STOPPED")
        outbox.request_stop(operation.connection, version.arn, at_once=True)
    elif version.status == "CREATE IN_PROGRESS":
        states.advance(operation.connection, version.arn, "CREATE STOPPING")
        outbox.request_stop(operation.connection, version.arn, at_once=False)
    elif version.status == "CREATE STOPPING":
        raise ResourceInUse(f"{version.arn} is stopping already.")
    else:
        raise InvalidInput(
            f"{version.arn} cannot be stopped: its status is {version.status}. Only CREATE PENDING and "
            "CREATE IN_PROGRESS versions can."
        )
    return {}


def get_solution_metrics(operation: Operation, request: Request) -> Answer:
    """The offline metrics of an ACTIVE version, to four decimals."""
    version = operation.find(SOLUTION_VERSION, request["solutionVersionArn"])
    if version.status != "ACTIVE":
        raise ResourceInUse(
            f"{version.arn} is in status {version.status} and has no metrics. They are there once it is ACTIVE."
        )
    metrics = {name: round(float(value), 4) for name, value in version.private.get("metrics", {}).items()}
    return {SOLUTION_VERSION.arn_member: version.arn, "metrics": metrics}


def _to_update(operation: Operation, solution: Resource) -> Resource:
    """The version that an UPDATE brings up to date: the newest that was trained on all data, of a recipe that can be
    updated, where items or interactions have come in since that version or a later update of it."""
    recipe = catalogue.find(solution["recipeArn"]) if "recipeArn" in solution.attributes else None
    if recipe is None or not recipe.update_training:
        named = "AutoML" if recipe is None else recipe.name
        raise InvalidInput(f"trainingMode UPDATE cannot be used with {named}. Use FULL.")
    check_training_mode(recipe, "UPDATE")
    whole = newest_whole_training(operation.connection, solution.arn)
    if whole is None:
        raise InvalidInput(f"trainingMode UPDATE needs an ACTIVE FULL version of {solution.arn}. Train one with FULL.")
    if _trained_as(whole) != _trained_as(solution):
        raise InvalidInput(f"{solution.arn} was configured anew since {whole.arn} was trained. Train one with FULL.")
    newest = newest_active(operation.connection, solution.arn) or whole
    seen = max(data_seen(whole), newest.created_at)
    group = solution["datasetGroupArn"]
    if not (
        items_arrived(operation.connection, group, seen) or interactions_arrived(operation.connection, group, seen)
    ):
        raise InvalidInput(
            f"trainingMode UPDATE needs new data: no item and no interaction has come in since {newest.arn}. Import or "
            "put some first."
        )
    return whole


def _trained_as(resource: Resource) -> dict[str, object]:
    """What a solution, or a version's copy of it, says of how to train; a schedule changes nothing of that."""
    return {name: value for name, value in resource["solutionConfig"].items() if name != "autoTrainingConfig"}


def _refuse_taken_name(operation: Operation, solution: Resource, name: str | None) -> None:
    """A version's own name may stand once in its solution."""
    if name is None:
        return
    for version in records.children(operation.connection, solution.arn, SOLUTION_VERSION.word):
        if version.name == name:
            raise ResourceAlreadyExists.of(version.arn)


def newest_active(connection: sa.Connection, solution_arn: str) -> Resource | None:
    """The newest ACTIVE version of a solution."""
    return records.newest_child(connection, solution_arn, SOLUTION_VERSION.word, "ACTIVE")


OPERATIONS = (
    create_solution_version,
    describe_solution_version,
    list_solution_versions,
    stop_solution_version_creation,
    get_solution_metrics,
)
