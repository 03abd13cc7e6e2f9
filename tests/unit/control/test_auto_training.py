"""Automatic training: what is due is started once, and only with data that no version has seen."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from tests.unit.control.tenant import RECIPES, Tenant

from matinee.control import lifecycle, records
from matinee.control.auto_training import start_due
from matinee.control.records import Resource, now_ms
from matinee.control.training_schedule import DAY, HOUR
from matinee.storage.metadata import dataset_parts, events, resources

_numbers = itertools.count()


class Days:
    """A service, and what its worker's clock shows: `hours` and `days` after now."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant, self.group = tenant, tenant.group()

    def later(self, *, hours: float = 0, days: float = 0) -> list[str]:
        """What is started when the clock shows so much more than now."""
        settings = self.tenant.plane.settings
        return start_due(self.tenant.database, settings, now_ms() + int(hours * HOUR + days * DAY) + 1000)

    def import_(self, group: str | None = None, at: int | None = None) -> None:
        """Interactions are imported, `at` a moment or now."""
        dataset = f"{(group or self.group).replace(':dataset-group/', ':dataset/')}/INTERACTIONS"
        row = {"dataset_arn": dataset, "job_arn": "job", "rows": 1, "bytes": 1, "created_at": at or now_ms() + 1}
        with self.tenant.database.transaction() as connection:
            connection.execute(sa.insert(dataset_parts).values(**row, object_key=f"part-{next(_numbers)}"))

    def stream(self) -> None:
        """An event is streamed."""
        row = {"group_arn": self.group, "event_id": f"e{next(_numbers)}", "session_id": "s", "event_type": "watch"}
        with self.tenant.database.transaction() as connection:
            connection.execute(sa.insert(events).values(**row, sent_at=1, received_at=now_ms() + 1))

    def row(self, arn: str) -> Resource:
        """A resource."""
        with self.tenant.database.read() as connection:
            found = records.find(connection, arn)
        assert found is not None
        return found


@pytest.fixture
def days(tenant: Tenant) -> Days:
    """A service with a group that has interactions, imported before anything was trained."""
    made = Days(tenant)
    made.import_(at=now_ms() - 1)
    return made


def test_the_first_version_starts_an_hour_after_the_solution_was_made(days: Days) -> None:
    days.tenant.solution(days.group)
    assert days.later(hours=0.9) == []
    (version,) = days.later(hours=1)
    shown = days.tenant.shown(version)
    assert (shown["trainingMode"], shown["trainingType"]) == ("AUTOTRAIN", "AUTOMATIC")
    days.tenant.work()
    assert days.tenant.status(version) == "ACTIVE"


def test_what_is_due_is_started_once(days: Days) -> None:
    days.tenant.solution(days.group)
    assert len(days.later(hours=1)) == 1
    assert days.later(hours=1) == []
    assert days.later(days=8) == []  # the version is still in progress


def test_a_version_started_by_hand_takes_the_first_ones_place(days: Days) -> None:
    solution = days.tenant.solution(days.group)
    days.tenant.version(solution)
    days.import_()
    assert days.later(hours=1) == []
    assert days.later(days=6.9) == []
    assert len(days.later(days=7.1)) == 1


def test_later_versions_come_at_the_rate_and_with_new_data(days: Days) -> None:
    config = {"autoTrainingConfig": {"schedulingExpression": "rate(2 days)"}}
    days.tenant.solution(days.group, solutionConfig=config)
    days.later(hours=1)
    days.tenant.work()
    assert days.later(days=3) == []
    days.import_()
    assert days.later(hours=48) == []  # two days and one hour after now are two days after the first
    assert len(days.later(hours=50)) == 1


def test_an_update_is_no_training(days: Days) -> None:
    solution = days.tenant.solution(days.group, recipe=f"{RECIPES}aws-user-personalization")
    (trained,) = days.later(hours=1)
    days.tenant.work()
    earlier = days.row(trained).created_at - 1000
    with days.tenant.database.transaction() as connection:
        connection.execute(sa.update(resources).where(resources.c.arn == trained).values(created_at=earlier))
    days.import_(at=earlier + 500)
    days.tenant.version(solution, trainingMode="UPDATE")
    (version,) = days.later(days=8)
    assert days.row(version)["trainingMode"] == "AUTOTRAIN"


def test_a_streamed_event_is_new_data(days: Days) -> None:
    days.tenant.solution(days.group)
    days.later(hours=1)
    days.tenant.work()
    assert days.later(days=8) == []
    days.stream()
    assert len(days.later(days=8)) == 1


def test_without_interactions_nothing_is_trained(tenant: Tenant) -> None:
    empty = Days(tenant)
    tenant.solution(empty.group)
    assert empty.later(days=30) == []


@pytest.mark.parametrize("turned_off", [False, True])
def test_what_is_not_automatic_is_left_alone(days: Days, turned_off: bool) -> None:
    solution = days.tenant.solution(days.group, performAutoTraining=turned_off)
    if turned_off:
        days.tenant.update_solution(solutionArn=solution, performAutoTraining=False)
        days.tenant.work()
    assert days.later(days=30) == []


def _tune(days: Days, arn: str, value: str, **private: int) -> None:
    """End a version's training with what HPO found."""
    (job,) = days.tenant.begin()
    assert job.arn == arn
    tuned = {"algorithmHyperParameters": {"min_cointeraction_count": value}}
    with days.tenant.database.transaction() as connection:
        lifecycle.succeed(connection, job, attributes={"tunedHPOParams": tuned}, private=private)


def _payload(days: Days) -> Mapping[str, Any]:
    """What the training says that waits."""
    (job,) = days.tenant.begin()
    return job.payload


def test_hpo_is_carried_out_at_most_every_90_days(days: Days) -> None:
    days.tenant.solution(days.group, recipe=f"{RECIPES}aws-sims", performHPO=True)
    (first,) = days.later(hours=1)
    assert "tunedHPOParams" not in _payload(days)
    _tune(days, first, "5")
    days.import_()
    (second,) = days.later(days=8)
    payload = _payload(days)
    assert payload["tunedHPOParams"] == {"algorithmHyperParameters": {"min_cointeraction_count": "5"}}
    assert payload["tunedAt"] == days.row(first).created_at
    # It counts from the tuning, however many versions take the values over.
    _tune(days, second, "5", tuned_at=payload["tunedAt"])
    days.import_(at=now_ms() + 9 * DAY)
    assert len(days.later(days=91)) == 1
    assert "tunedHPOParams" not in _payload(days)


def test_hpo_is_carried_out_anew_for_another_configuration(days: Days) -> None:
    solution = days.tenant.solution(days.group, recipe=f"{RECIPES}aws-sims", performHPO=True)
    (first,) = days.later(hours=1)
    _tune(days, first, "5")
    with days.tenant.database.transaction() as connection:
        row = records.find(connection, solution)
        assert row is not None
        records.change(connection, row, attributes={**row.attributes, "solutionConfig": {"eventValueThreshold": "2"}})
    days.import_()
    assert len(days.later(days=8)) == 1
    assert "tunedHPOParams" not in _payload(days)


def test_a_used_up_quota_leaves_it_for_later(limited: Tenant) -> None:
    days = Days(limited)
    days.import_(at=now_ms() - 1)
    solution = limited.solution(days.group, performAutoTraining=False)
    waiting = limited.solution(days.group, name="waiting")
    for _ in range(20):
        limited.create_solution_version(solutionArn=solution)
    assert days.later(hours=1) == []
    limited.work()
    (version,) = days.later(hours=1)
    assert days.row(version)["solutionArn"] == waiting


def test_trap_5_campaigns_in_sync_follow_an_automatic_version(days: Days) -> None:
    solution = days.tenant.solution(days.group)
    days.tenant.version(solution)
    config = {"syncWithLatestSolutionVersion": True}
    campaign = days.tenant.campaign(f"{solution}/$LATEST", campaignConfig=config)
    days.later(hours=1)
    days.import_()
    (version,) = days.later(days=8)
    days.tenant.work()
    assert days.tenant.shown(campaign)["solutionVersionArn"] == version


def test_a_recommender_is_trained_again_every_week(tenant: Tenant) -> None:
    days = Days(tenant)
    group = tenant.group("shop", domain="ECOMMERCE")
    recipe = f"{RECIPES}aws-ecomm-popular-items-by-views"
    arn = tenant.create_recommender(name="r", datasetGroupArn=group, recipeArn=recipe)["recommenderArn"]
    tenant.work()
    days.import_(group)
    assert days.later(days=6.9) == []
    assert days.later(days=7) == [arn]
    tenant.work()
    assert "latestRecommenderUpdate" not in tenant.shown(arn)
    days.import_(group, at=now_ms() + 8 * DAY)
    assert days.later(days=13.9) == []
    assert days.later(days=14.1) == [arn]


def test_a_stopped_recommender_is_left_alone(tenant: Tenant) -> None:
    days = Days(tenant)
    group = tenant.group("shop", domain="ECOMMERCE")
    recipe = f"{RECIPES}aws-ecomm-popular-items-by-views"
    arn = tenant.create_recommender(name="r", datasetGroupArn=group, recipeArn=recipe)["recommenderArn"]
    tenant.work()
    tenant.stop_recommender(recommenderArn=arn)
    tenant.work()
    days.import_(group)
    assert days.later(days=30) == []
