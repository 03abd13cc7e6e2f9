"""Retention: the newest versions stay, and those in use; the others go with what belongs to them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.control.tenant import ROLE, Tenant

from matinee.control import lifecycle, retention
from matinee.errors import ResourceNotFound


def _train(tenant: Tenant, solution: str, keep: int) -> tuple[str, tuple[str, ...]]:
    """Train one version as the worker does; gives it, and the places that are to be cleared."""
    arn = str(tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"])
    (job,) = tenant.begin()
    with tenant.database.transaction() as connection:
        left_over = retention.retire(connection, arn, keep=keep)
        lifecycle.succeed(connection, job, private={"artifact": job.payload["artifact"], "metrics": {}})
    return arn, left_over


def _left(tenant: Tenant, solution: str) -> list[str]:
    listed: list[dict[str, Any]] = tenant.list_solution_versions(solutionArn=solution)["solutionVersions"]
    return [version["solutionVersionArn"] for version in listed]


@pytest.fixture
def solution(tenant: Tenant) -> str:
    """A solution without versions."""
    return tenant.solution(tenant.group())


def test_all_versions_stay_unless_a_number_is_set(tenant: Tenant, solution: str) -> None:
    made = [_train(tenant, solution, 0)[0] for _ in range(3)]
    assert _left(tenant, solution) == made


def test_older_versions_go_with_their_artifacts(tenant: Tenant, solution: str) -> None:
    first, nothing = _train(tenant, solution, 2)
    second, _ = _train(tenant, solution, 2)
    third, cleared = _train(tenant, solution, 2)
    assert nothing == ()
    assert cleared == (f"artifacts/{tenant.caller.account}/{tenant.caller.region}/picks/{first.rpartition('/')[2]}",)
    assert _left(tenant, solution) == [second, third]
    with pytest.raises(ResourceNotFound):
        tenant.describe_solution_version(solutionVersionArn=first)


def test_a_version_that_a_campaign_serves_stays(tenant: Tenant, solution: str) -> None:
    first, _ = _train(tenant, solution, 1)
    tenant.campaign(first)
    second, cleared = _train(tenant, solution, 1)
    assert (cleared, _left(tenant, solution)) == ((), [first, second])


def test_a_version_that_an_unfinished_batch_job_reads_stays(tenant: Tenant, solution: str) -> None:
    first, _ = _train(tenant, solution, 1)
    tenant.create_batch_inference_job(
        jobName="b",
        solutionVersionArn=first,
        jobInput={"s3DataSource": {"path": "s3://bucket/in.json"}},
        jobOutput={"s3DataDestination": {"path": "s3://bucket/out/"}},
        roleArn=ROLE,
    )
    arn = str(tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"])
    with tenant.database.transaction() as connection:
        assert retention.retire(connection, arn, keep=1) == ()
    tenant.work()
    third, cleared = _train(tenant, solution, 1)
    assert len(cleared) == 2
    assert _left(tenant, solution) == [third]


def test_failed_versions_neither_count_nor_go(tenant: Tenant, solution: str) -> None:
    failed = str(tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"])
    tenant.fail("No data.")
    first, _ = _train(tenant, solution, 1)
    second, _ = _train(tenant, solution, 1)
    assert first not in _left(tenant, solution)
    assert _left(tenant, solution) == [failed, second]
