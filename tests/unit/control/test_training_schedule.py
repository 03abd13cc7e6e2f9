"""The clock of automatic training, and what starts it anew."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.control.tenant import Tenant

from matinee.control import records
from matinee.control.records import Resource
from matinee.control.training_schedule import DAY, HOUR, Clock, period, restart


def _solution(tenant: Tenant, **params: Any) -> str:
    return tenant.solution(tenant.group(), **params)


def _row(tenant: Tenant, arn: str) -> Resource:
    with tenant.database.read() as connection:
        found = records.find(connection, arn)
    assert found is not None
    return found


def _old(tenant: Tenant, arn: str) -> None:
    """Let the clock have counted since long ago."""
    with tenant.database.transaction() as connection:
        restart(connection, _row(tenant, arn), Clock(1, first=False))


def test_the_first_training_is_due_an_hour_after_creation(tenant: Tenant) -> None:
    row = _row(tenant, _solution(tenant))
    assert Clock.of(row).due(period(row)) == row.created_at + HOUR


@pytest.mark.parametrize(("expression", "days"), [(None, 7), ("rate(1 day)", 1), ("rate(30 days)", 30)])
def test_later_ones_come_at_the_rate(tenant: Tenant, expression: str | None, days: int) -> None:
    config = {} if expression is None else {"autoTrainingConfig": {"schedulingExpression": expression}}
    row = _row(tenant, _solution(tenant, solutionConfig=config))
    assert Clock(5, first=False).due(period(row)) == 5 + days * DAY


def test_restarting_keeps_the_date_of_the_last_update(tenant: Tenant) -> None:
    arn = _solution(tenant)
    before = _row(tenant, arn)
    _old(tenant, arn)
    after = _row(tenant, arn)
    assert (Clock.of(after), after.updated_at) == (Clock(1, first=False), before.updated_at)


def test_turning_it_on_makes_a_first_training_due_in_an_hour(tenant: Tenant) -> None:
    arn = _solution(tenant, performAutoTraining=False)
    _old(tenant, arn)
    tenant.update_solution(solutionArn=arn, performAutoTraining=True)
    tenant.work()
    clock = Clock.of(_row(tenant, arn))
    assert clock.first
    assert clock.since > 1


def test_another_rate_lets_the_whole_period_begin_again(tenant: Tenant) -> None:
    arn = _solution(tenant)
    config = {"autoTrainingConfig": {"schedulingExpression": "rate(2 days)"}}
    tenant.update_solution(solutionArn=arn, solutionUpdateConfig=config)
    tenant.work()
    row = _row(tenant, arn)
    clock = Clock.of(row)
    assert (clock.first, period(row)) == (False, 2 * DAY)
    assert clock.since >= row.created_at


def test_other_updates_leave_the_clock_alone(tenant: Tenant) -> None:
    arn = _solution(tenant)
    _old(tenant, arn)
    events = {"eventParametersList": [{"eventType": "watch"}]}
    tenant.update_solution(solutionArn=arn, solutionUpdateConfig={"eventsConfig": events})
    tenant.work()
    assert Clock.of(_row(tenant, arn)) == Clock(1, first=False)
