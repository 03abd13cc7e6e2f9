"""`matinee jobs`: what is listed, followed, cancelled and tried again, and what wrong input is told as."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from tests.unit.cli.control_home import home_of_a_tenant
from tests.unit.control.tenant import Tenant
from typer.testing import CliRunner, Result

from matinee.cli.app import app
from matinee.control import lifecycle
from matinee.control.outbox import JobKind
from matinee.storage import metadata


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    with home_of_a_tenant(tmp_path) as tenant:
        yield tenant


def jobs(tenant: Tenant, *arguments: str, expect: int = 0) -> Result:
    done = CliRunner().invoke(app, ["jobs", *arguments, "--home", str(tenant.plane.settings.home)])
    assert done.exit_code == expect, f"{done.output}\n{done.exception!r}"
    return done


def refused(tenant: Tenant, *arguments: str) -> str:
    return jobs(tenant, *arguments, expect=1).output


def waiting_training(tenant: Tenant) -> tuple[str, str]:
    """The ARN of a version whose training waits, and the job's ID."""
    solution = tenant.solution(tenant.group())
    arn = str(tenant.create_solution_version(solutionArn=solution)["solutionVersionArn"])
    (job,) = tenant.pending(JobKind.TRAIN)
    return arn, job


def test_jobs_are_listed_newest_first_with_state_and_resource(tenant: Tenant) -> None:
    arn, job = waiting_training(tenant)
    first = jobs(tenant, "list").output.splitlines()[1].split()
    assert first[:3] == [job, "QUEUED", "train"]
    assert first[-1] == arn


def test_lists_are_narrowed_and_machine_readable(tenant: Tenant) -> None:
    arn, job = waiting_training(tenant)
    (row,) = map(json.loads, jobs(tenant, "list", "--kind", "train", "--state", "queued", "--json").output.splitlines())
    assert (row["id"], row["arn"], row["state"]) == (job, arn, "QUEUED")
    assert jobs(tenant, "list", "--resource", arn, "--state", "done", "--json").output == ""


def test_unknown_states_and_kinds_are_told(tenant: Tenant) -> None:
    assert "is none of QUEUED" in jobs(tenant, "list", "--state", "lost", expect=2).output.replace("\n", " ")
    assert "'bake' is none of" in jobs(tenant, "list", "--kind", "bake", expect=2).output


def test_a_cancelled_training_shows_as_stopped_and_is_tried_again(tenant: Tenant) -> None:
    arn, job = waiting_training(tenant)
    assert jobs(tenant, "cancel", job[:8]).output.startswith(job)
    tenant.work()
    assert tenant.status(arn) == "CREATE STOPPED"
    assert jobs(tenant, "follow", job, expect=1).output.splitlines()[-1].startswith("STOPPED")
    new = jobs(tenant, "retry", job).output.split()[0]
    assert new != job
    assert tenant.pending(JobKind.TRAIN) == [new]
    tenant.work()
    assert tenant.status(arn) == "ACTIVE"


def while_it_waits(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> None:
    """Let `work` be done whenever the command waits before its next look."""
    waiting = SimpleNamespace(wait=lambda _: work())
    monkeypatch.setattr("matinee.cli.jobs.threading", SimpleNamespace(Event=lambda: waiting))


def test_a_job_is_followed_to_its_end(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    _, job = waiting_training(tenant)
    while_it_waits(monkeypatch, tenant.work)
    assert jobs(tenant, "follow", job).output.splitlines() == ["QUEUED", "DONE"]


def test_a_running_job_is_followed_with_its_metrics_and_the_time_that_is_left(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, job = waiting_training(tenant)
    metrics = {"loss": 2.34567, "ndcg_at_10": 0.25}
    told = {"fraction": 0.4, "message": "epoch 4 of 10", "seconds_left": 95.2, "metrics": metrics}
    with tenant.database.transaction() as connection:
        begun = lifecycle.begin(connection, job)
        assert begun is not None
        connection.execute(sa.update(metadata.jobs).where(metadata.jobs.c.id == job).values(progress=told))
    while_it_waits(monkeypatch, lambda: tenant.end_well(begun))
    lines = jobs(tenant, "follow", job).output.splitlines()
    assert lines == [" 40%  epoch 4 of 10  loss 2.346, ndcg_at_10 0.25  about 1m left", "DONE"]


def test_what_cannot_be_done_is_told(tenant: Tenant) -> None:
    _, job = waiting_training(tenant)
    assert "There is no job nothing. `matinee jobs list` shows the newest" in refused(tenant, "follow", "nothing")
    assert "only FAILED and STOPPED ones are tried again" in refused(tenant, "retry", job)
    tenant.work()
    assert "has ended (DONE) and cannot be cancelled" in refused(tenant, "cancel", job)
