"""The two-hourly update: what is deployed and may be updated, when, and only with new data."""

from __future__ import annotations

import sqlalchemy as sa
from tests.unit.control.tenant import RECIPES, Tenant
from tests.unit.control.test_auto_training import Days

from matinee.control.auto_update import start_updates
from matinee.control.outbox import JobKind
from matinee.control.records import now_ms
from matinee.storage.metadata import jobs

_PERIOD = 7_200_000


def _later(days: Days, hours: float) -> list[str]:
    return start_updates(days.tenant.database, _PERIOD, now_ms() + int(hours * 3_600_000))


def _deployed(tenant: Tenant, days: Days, recipe: str) -> str:
    """A version that a campaign serves."""
    solution = tenant.solution(days.group, recipe=f"{RECIPES}{recipe}", performAutoTraining=False)
    version = tenant.version(solution)
    tenant.campaign(version)
    return version


def test_a_deployed_version_is_updated_every_two_hours_with_new_data(tenant: Tenant) -> None:
    days = Days(tenant)
    version = _deployed(tenant, days, "aws-user-personalization")
    assert _later(days, 2.1) == []  # nothing has come in
    days.stream()
    assert _later(days, 1.9) == []
    assert _later(days, 2.1) == [version]
    assert _later(days, 2.1) == []  # it is under way
    with tenant.database.read() as connection:
        kinds = connection.scalars(sa.select(jobs.c.kind).where(jobs.c.arn == version)).all()
    assert kinds.count(JobKind.UPDATE_MODEL) == 1


def test_recipes_that_do_not_explore_are_left_alone(tenant: Tenant) -> None:
    days = Days(tenant)
    _deployed(tenant, days, "aws-popularity-count")
    days.stream()
    assert _later(days, 3) == []


def test_a_version_without_a_campaign_is_left_alone(tenant: Tenant) -> None:
    days = Days(tenant)
    solution = tenant.solution(days.group, recipe=f"{RECIPES}aws-user-personalization", performAutoTraining=False)
    tenant.version(solution)
    days.stream()
    assert _later(days, 3) == []
