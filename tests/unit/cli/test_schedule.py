"""`matinee schedule`: made, listed, kept by the scheduler, removed, and what wrong input is told as."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.cli.control_home import home_of_a_tenant
from tests.unit.control.tenant import ROLE, Tenant
from typer.testing import CliRunner, Result

from matinee.cli.app import app
from matinee.control import batch_schedules


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with home_of_a_tenant(tmp_path) as tenant:
        yield tenant


def invoke(tenant: Tenant, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["schedule", *arguments, "--home", str(tenant.plane.settings.home)])


def schedule(tenant: Tenant, *arguments: str) -> str:
    done = invoke(tenant, *arguments)
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return done.output


def refused(tenant: Tenant, *arguments: str) -> str:
    done = invoke(tenant, *arguments)
    assert done.exit_code == 1, f"{done.output}\n{done.exception!r}"
    return done.output


def nightly(solution: str, cron: str = "0 3 * * *", *more: str) -> tuple[str, ...]:
    places = ("--input", "s3://bucket/users.json", "--output", "s3://bucket/out")
    return ("add", "nightly", "--cron", cron, "--solution", solution, *places, "--role", ROLE, *more)


def test_a_schedule_is_listed_runs_and_is_removed(tenant: Tenant) -> None:
    solution = tenant.solution(tenant.group())
    version = tenant.version(solution)
    assert "nightly runs next at" in schedule(tenant, *nightly(solution, "0 3 * * *", "--timezone", "Europe/Berlin"))
    with tenant.database.read() as connection:
        (kept,) = batch_schedules.every(connection)
    (job,) = batch_schedules.start_scheduled(tenant.database, tenant.plane.settings, kept.next_at)
    assert tenant.shown(job)["solutionVersionArn"] == version
    (line,) = schedule(tenant, "list").splitlines()[1:]
    assert line.startswith("nightly")
    assert "0 3 * * * Europe/Berlin" in line
    assert line.endswith(job)
    assert schedule(tenant, "remove", "nightly") == "nightly is removed.\n"
    assert len(schedule(tenant, "list").splitlines()) == 1
    tenant.shown(job)  # what it made stays


def test_a_time_without_a_version_tells_why_it_made_no_job(tenant: Tenant) -> None:
    solution = tenant.solution(tenant.group())
    schedule(tenant, *nightly(solution))
    with tenant.database.read() as connection:
        (kept,) = batch_schedules.every(connection)
    assert batch_schedules.start_scheduled(tenant.database, tenant.plane.settings, kept.next_at) == []
    assert schedule(tenant, "list").rstrip().endswith(f"{solution} has no ACTIVE version.")


def test_what_is_wrong_is_told_and_leaves_nothing(tenant: Tenant) -> None:
    solution = tenant.solution(tenant.group())
    assert "has not the five fields of cron" in refused(tenant, *nightly(solution, "0 3 *"))
    assert "is no time zone" in refused(tenant, *nightly(solution, "0 3 * * *", "--timezone", "Mars/Base"))
    assert f"{solution}-not" in refused(tenant, *nightly(f"{solution}-not"))
    assert "has no schedule nightly" in refused(tenant, "remove", "nightly")
    assert len(schedule(tenant, "list").splitlines()) == 1


def test_a_name_is_given_once(tenant: Tenant) -> None:
    solution = tenant.solution(tenant.group())
    schedule(tenant, *nightly(solution))
    assert "There is a schedule nightly already" in refused(tenant, *nightly(solution))
