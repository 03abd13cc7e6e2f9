"""Solution versions: training, stopping, metrics."""

from __future__ import annotations

import re

import pytest
from tests.unit.control.tenant import RECIPES, V2, Tenant
from tests.unit.control.test_auto_training import Days

from matinee.control import lifecycle, outbox, records
from matinee.control.operation import Operation
from matinee.control.solution_versions import train
from matinee.control.solutions import SOLUTION
from matinee.errors import InvalidInput, LimitExceeded, ResourceAlreadyExists, ResourceInUse, ResourceNotFound


@pytest.fixture
def solution(tenant: Tenant) -> str:
    """A solution in an ACTIVE group."""
    return tenant.solution(tenant.group("films"), eventType="watch")


def test_the_arn_ends_in_eight_hexadecimal_digits(tenant: Tenant, solution: str) -> None:
    arn = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    assert re.fullmatch(re.escape(solution) + "/[0-9a-f]{8}", arn)
    assert tenant.shown(arn)["name"] == "picks/" + arn.rpartition("/")[2]


def test_a_version_copies_its_solution(tenant: Tenant, solution: str) -> None:
    shown = tenant.shown(tenant.version(solution, name="first"))
    assert (shown["name"], shown["recipeArn"], shown["eventType"]) == ("first", V2, "watch")
    assert (shown["trainingMode"], shown["trainingType"], shown["solutionConfig"]) == ("FULL", "MANUAL", {})
    assert (shown["status"], shown["trainingHours"]) == ("ACTIVE", 0.004)


def test_hours_are_absent_until_training_is_done(tenant: Tenant, solution: str) -> None:
    arn = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    assert "trainingHours" not in tenant.shown(arn)


def test_a_given_name_can_be_used_once_in_a_solution(tenant: Tenant, solution: str) -> None:
    arn = tenant.version(solution, name="first")
    with pytest.raises(ResourceAlreadyExists, match=arn):
        tenant.create_solution_version(solutionArn=solution, name="first")


def test_the_job_carries_what_training_needs(tenant: Tenant, solution: str) -> None:
    arn = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    with tenant.database.read() as connection:
        job = outbox.find(connection, tenant.pending()[0])
    assert job is not None
    assert (job.kind, job.arn) == ("train", arn)
    assert job.payload["recipes"] == [V2]
    assert job.payload["artifact"] == f"artifacts/123456789012/us-east-1/picks/{arn.rpartition('/')[2]}"
    assert (job.payload["solutionArn"], job.payload["eventType"]) == (solution, "watch")


def test_a_failed_training_says_why(tenant: Tenant, solution: str) -> None:
    arn = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    tenant.fail("Dataset has fewer than 25 users with at least 2 interactions each.")
    (summary,) = tenant.list_solution_versions(solutionArn=solution)["solutionVersions"]
    assert (summary["solutionVersionArn"], summary["status"]) == (arn, "CREATE FAILED")
    assert summary["failureReason"].startswith("Dataset has fewer than 25 users")


def test_versions_of_a_missing_solution_are_not_listed(tenant: Tenant) -> None:
    with pytest.raises(ResourceNotFound):
        tenant.list_solution_versions(solutionArn=tenant.caller.arn("solution/none"))


def test_the_solution_must_exist(tenant: Tenant) -> None:
    arn = tenant.caller.arn("solution/none")
    with pytest.raises(ResourceNotFound, match=f"Resource Arn {arn} does not exist."):
        tenant.create_solution_version(solutionArn=arn)


def test_a_solution_being_deleted_is_not_trained(tenant: Tenant, solution: str) -> None:
    tenant.delete_solution(solutionArn=solution)
    with pytest.raises(ResourceInUse, match="DELETE PENDING"):
        tenant.create_solution_version(solutionArn=solution)


def test_autotrain_is_not_the_callers_to_ask_for(tenant: Tenant, solution: str) -> None:
    with pytest.raises(InvalidInput, match="AUTOTRAIN marks automatic trainings"):
        tenant.create_solution_version(solutionArn=solution, trainingMode="AUTOTRAIN")


def test_a_schedule_trains_automatic_versions(tenant: Tenant, solution: str) -> None:
    with tenant.database.transaction() as connection:
        operation = Operation(connection, tenant.caller, tenant.plane.settings)
        found = operation.find(SOLUTION, solution)
        version = train(operation, found, mode="AUTOTRAIN", training_type="AUTOMATIC")
    shown = tenant.shown(version.arn)
    assert (shown["trainingMode"], shown["trainingType"]) == ("AUTOTRAIN", "AUTOMATIC")


def test_update_training_is_for_recipes_that_can_be_refreshed(tenant: Tenant, solution: str) -> None:
    with pytest.raises(InvalidInput, match="UPDATE cannot be used with aws-user-personalization-v2"):
        tenant.create_solution_version(solutionArn=solution, trainingMode="UPDATE")


@pytest.mark.usefixtures("later")
def test_update_training_needs_an_earlier_full_one_and_new_data(tenant: Tenant) -> None:
    days = Days(tenant)
    solution = tenant.solution(days.group, recipe=f"{RECIPES}aws-user-personalization")
    with pytest.raises(InvalidInput, match="needs an ACTIVE FULL version"):
        tenant.create_solution_version(solutionArn=solution, trainingMode="UPDATE")
    tenant.version(solution)
    with pytest.raises(InvalidInput, match="needs new data"):
        tenant.create_solution_version(solutionArn=solution, trainingMode="UPDATE")
    days.stream()
    assert tenant.shown(tenant.version(solution, trainingMode="UPDATE"))["trainingMode"] == "UPDATE"


@pytest.mark.usefixtures("later")
def test_update_training_needs_the_configuration_of_the_full_one(tenant: Tenant) -> None:
    days = Days(tenant)
    solution = tenant.solution(days.group, recipe=f"{RECIPES}aws-user-personalization")
    whole = tenant.version(solution)
    days.stream()
    # No operation of this version changes what such a solution trains by; metadata that others wrote may differ.
    row = days.row(solution)
    config = {"algorithmHyperParameters": {"bptt": "8"}}
    with tenant.database.transaction() as connection:
        records.change(connection, row, attributes={**row.attributes, "solutionConfig": config})
    with pytest.raises(InvalidInput, match=f"was configured anew since {whole} was trained. Train one with FULL"):
        tenant.create_solution_version(solutionArn=solution, trainingMode="UPDATE")


def test_a_pending_version_stops_at_once(tenant: Tenant, solution: str) -> None:
    arn = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    tenant.stop_solution_version_creation(solutionVersionArn=arn)
    assert tenant.status(arn) == "CREATE STOPPED"
    assert tenant.begin() == []


def test_a_running_training_stops_when_its_job_notices(tenant: Tenant, solution: str) -> None:
    arn = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    (job,) = tenant.begin()
    with tenant.database.read() as connection:
        assert not lifecycle.stop_requested(connection, job)
    tenant.stop_solution_version_creation(solutionVersionArn=arn)
    assert tenant.status(arn) == "CREATE STOPPING"
    with tenant.database.transaction() as connection:
        assert lifecycle.stop_requested(connection, job)
        lifecycle.stopped(connection, job)
    assert tenant.status(arn) == "CREATE STOPPED"


@pytest.mark.parametrize("ending", ["succeed", "fail", "begin"])
def test_a_stop_that_comes_too_late_still_stops(tenant: Tenant, solution: str, ending: str) -> None:
    arn = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    (job,) = tenant.begin()
    tenant.stop_solution_version_creation(solutionVersionArn=arn)
    with tenant.database.transaction() as connection:
        match ending:
            case "succeed":
                lifecycle.succeed(connection, job, private={"metrics": {}})
            case "fail":
                lifecycle.fail(connection, job, "Too little data.")
            case _:
                assert lifecycle.begin(connection, job.id) is None
    assert tenant.status(arn) == "CREATE STOPPED"
    assert tenant.pending() == []


def test_a_stopping_version_cannot_be_stopped_again(tenant: Tenant, solution: str) -> None:
    arn = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    tenant.begin()
    tenant.stop_solution_version_creation(solutionVersionArn=arn)
    with pytest.raises(ResourceInUse, match="is stopping already"):
        tenant.stop_solution_version_creation(solutionVersionArn=arn)


def test_a_trained_version_cannot_be_stopped(tenant: Tenant, solution: str) -> None:
    arn = tenant.version(solution)
    with pytest.raises(InvalidInput, match="its status is ACTIVE"):
        tenant.stop_solution_version_creation(solutionVersionArn=arn)


def test_metrics_have_four_decimals(tenant: Tenant, solution: str) -> None:
    arn = tenant.version(solution)
    assert tenant.get_solution_metrics(solutionVersionArn=arn) == {
        "solutionVersionArn": arn,
        "metrics": {"coverage": 0.2718, "mean_reciprocal_rank_at_25": 0.0379},
    }


def test_there_are_no_metrics_while_training(tenant: Tenant, solution: str) -> None:
    arn = tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    with pytest.raises(ResourceInUse, match="status CREATE PENDING and has no metrics"):
        tenant.get_solution_metrics(solutionVersionArn=arn)


def test_real_quotas_allow_twenty_trainings_at_once(limited: Tenant) -> None:
    solution = limited.solution(limited.group())
    for _ in range(20):
        limited.create_solution_version(solutionArn=solution)
    with pytest.raises(LimitExceeded, match="More than 20 resources with PENDING or IN_PROGRESS status"):
        limited.create_solution_version(solutionArn=solution)
