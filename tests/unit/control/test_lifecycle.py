"""What a worker relies on: every step may be repeated, nothing that has ended moves again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.unit.control.tenant import RECIPES, Tenant

from matinee.control import lifecycle, outbox, records
from matinee.control.outbox import JobKind
from matinee.storage import metadata


def job_state(tenant: Tenant, job_id: str) -> tuple[str, str | None, int]:
    """State, reason and number of beginnings of a job."""
    jobs = metadata.jobs.c
    query = sa.select(jobs.state, jobs.reason, jobs.attempts).where(jobs.id == job_id)
    with tenant.database.read() as connection:
        state, reason, attempts = connection.execute(query).one()
    return state, reason, attempts


def test_a_crashed_job_is_taken_up_again(tenant: Tenant) -> None:
    arn = tenant.create_dataset_group(name="films")["datasetGroupArn"]
    (job,) = tenant.begin()
    assert [again.id for again in tenant.begin()] == [job.id]
    assert tenant.status(arn) == "CREATE IN_PROGRESS"
    assert job_state(tenant, job.id) == ("RUNNING", None, 2)
    tenant.end_well(job)
    assert (tenant.status(arn), job_state(tenant, job.id)[0]) == ("ACTIVE", "DONE")


def test_a_job_that_has_ended_moves_nothing(tenant: Tenant) -> None:
    arn = tenant.create_dataset_group(name="films")["datasetGroupArn"]
    (job,) = tenant.begin()
    tenant.end_well(job)
    before = tenant.shown(arn)
    with tenant.database.transaction() as connection:
        assert lifecycle.begin(connection, job.id) is None
        lifecycle.succeed(connection, job)
        lifecycle.fail(connection, job, "Too late.")
        lifecycle.stopped(connection, job)
        assert lifecycle.stop_requested(connection, job)
    assert tenant.shown(arn) == before


def test_an_unknown_job_is_nothing_to_do(tenant: Tenant) -> None:
    with tenant.database.transaction() as connection:
        assert lifecycle.begin(connection, "00000000-0000-0000-0000-000000000000") is None


def test_a_failed_job_keeps_its_reason(tenant: Tenant) -> None:
    tenant.create_dataset_group(name="films")
    (job_id,) = tenant.pending()
    tenant.fail("No.")
    assert job_state(tenant, job_id) == ("FAILED", "No.", 1)


def test_attributes_show_and_private_does_not(tenant: Tenant) -> None:
    arn = tenant.create_solution_version(solutionArn=tenant.solution(tenant.group()))["solutionVersionArn"]
    (job,) = tenant.begin()
    tuned = {"algorithmHyperParameters": {"hidden_dimension": "64"}}
    with tenant.database.transaction() as connection:
        lifecycle.succeed(
            connection,
            job,
            attributes={"trainingHours": 1.073, "tunedHPOParams": tuned},
            private={"artifact": "somewhere"},
        )
    shown = tenant.shown(arn)
    assert (shown["trainingHours"], shown["tunedHPOParams"]) == (1.073, tuned)
    assert "artifact" not in shown


@pytest.mark.parametrize("kind", [JobKind.UPDATE_MODEL, JobKind.REFRESH_RECOMMENDER])
def test_a_refreshed_model_leaves_the_date_of_the_last_update(tenant: Tenant, kind: JobKind) -> None:
    group = tenant.group("shop", domain="ECOMMERCE")
    recipe = f"{RECIPES}aws-ecomm-popular-items-by-views"
    arn = tenant.create_recommender(name="r", datasetGroupArn=group, recipeArn=recipe)["recommenderArn"]
    tenant.work()
    with tenant.database.transaction() as connection:
        # Of another day, so that no clock is too coarse to show a change.
        connection.execute(
            sa.update(metadata.resources).where(metadata.resources.c.arn == arn).values(updated_at=1_500_000_000_000)
        )
        outbox.enqueue(connection, kind, arn)
    before = tenant.shown(arn)
    (job,) = tenant.begin()
    with tenant.database.transaction() as connection:
        lifecycle.succeed(connection, job, private={"artifact": "the new one"})
        row = records.find(connection, arn)
    assert tenant.shown(arn) == before
    assert row is not None
    assert row.private["artifact"] == "the new one"
    assert row.private[lifecycle.ARTIFACT_AT] > row.updated_at


def test_a_job_of_something_deleted_meanwhile_ends(tenant: Tenant) -> None:
    group = tenant.group()
    tracker = tenant.create_event_tracker(name="t", datasetGroupArn=group)["eventTrackerArn"]
    dataset = tenant.list_datasets()["datasets"][0]["datasetArn"]
    tenant.work()
    tenant.delete_event_tracker(eventTrackerArn=tracker)
    tenant.delete_dataset(datasetArn=dataset)
    tenant.delete_dataset_group(datasetGroupArn=group)
    late, _, last = tenant.begin()
    assert last.arn == group
    tenant.end_well(last)
    assert job_state(tenant, late.id)[:2] == ("STOPPED", "The resource was deleted.")
    tenant.end_well(late)
    assert tenant.pending() == []


def test_a_late_job_does_not_meet_a_new_resource_of_the_same_name(tenant: Tenant) -> None:
    """A campaign that goes with its solution must not be deleted once more after it was made anew."""
    group = tenant.group()
    solution = tenant.solution(group)
    campaign = tenant.campaign(tenant.version(solution))
    tenant.delete_campaign(campaignArn=campaign)
    tenant.delete_solution(solutionArn=solution)
    of_campaign, of_solution = tenant.begin()
    assert of_solution.arn == solution
    tenant.end_well(of_solution)
    assert tenant.campaign(tenant.version(tenant.solution(group))) == campaign
    tenant.end_well(of_campaign)
    assert tenant.status(campaign) == "ACTIVE"


@pytest.mark.parametrize("begun", [True, False])
def test_a_job_can_fail_before_and_after_it_began(tenant: Tenant, begun: bool) -> None:
    arn = tenant.create_dataset_group(name="films")["datasetGroupArn"]
    (job_id,) = tenant.pending()
    if begun:
        tenant.begin()
    job = lifecycle.Job(job_id, JobKind.SETTLE, arn, {}, "QUEUED", cancel_requested=False)
    with tenant.database.transaction() as connection:
        lifecycle.fail(connection, job, "The worker cannot do this.")
    assert tenant.status(arn) == "CREATE FAILED"


def test_streamed_rows_go_with_what_they_belong_to(tenant: Tenant) -> None:
    group = tenant.group("films")
    tenant.create_event_tracker(name="t", datasetGroupArn=group)
    tenant.work()
    dataset = tenant.caller.arn("dataset/films/EVENT_INTERACTIONS")
    event = {"event_id": "e", "session_id": "s", "event_type": "watch", "sent_at": 1, "received_at": 1}
    link = {"session_id": "s", "user_id": "u"}
    record = {"dataset_arn": dataset, "entity_id": "i", "properties": {}, "received_at": 1}
    with tenant.database.transaction() as connection:
        connection.execute(sa.insert(metadata.events).values(group_arn=group, **event))
        connection.execute(sa.insert(metadata.session_links).values(group_arn=group, **link))
        connection.execute(sa.insert(metadata.records).values(record))
    tenant.delete_dataset(datasetArn=dataset)
    tenant.work()
    with tenant.database.read() as connection:
        for table in (metadata.events, metadata.session_links, metadata.records):
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0


def test_parts_are_named_for_deletion_and_go(tenant: Tenant) -> None:
    dataset = tenant.dataset(tenant.group("films"), tenant.schema())
    part = {"job_arn": "j", "object_key": "elsewhere/part.parquet", "rows": 1, "bytes": 1, "created_at": 1}
    with tenant.database.transaction() as connection:
        connection.execute(sa.insert(metadata.dataset_parts).values(dataset_arn=dataset, **part))
        assert lifecycle.belongings(connection, dataset) == (
            "datasets/123456789012/us-east-1/films/INTERACTIONS",
            "elsewhere/part.parquet",
        )
        lifecycle.gone(connection, dataset)
        assert connection.execute(sa.select(metadata.dataset_parts.c.seq)).all() == []


def test_the_artifacts_of_all_versions_are_named_for_a_solutions_deletion(tenant: Tenant) -> None:
    solution = tenant.solution(tenant.group())
    ids = [tenant.version(solution).rpartition("/")[2] for _ in range(2)]
    with tenant.database.read() as connection:
        assert set(lifecycle.belongings(connection, solution)) == {
            f"artifacts/123456789012/us-east-1/picks/{version}" for version in ids
        }
