"""What a deletion does, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.project import stage
from tests.unit.project.stage import everything, told

from matinee.project.observed import Observed, Unmanaged
from matinee.project.problems import ProjectProblem
from matinee.project.removal import plan_removal

SCHEMAS = {"s": f"{stage.ARN}schema/s", "s-0a1b2c3d": f"{stage.ARN}schema/s-0a1b2c3d", "s-mine": "arn"}


def test_users_of_a_resource_go_before_it() -> None:
    plan = plan_removal(stage.project(), everything(), SCHEMAS)
    assert told(plan) == [
        "delete campaign c",
        "delete solution p",
        "delete filter f",
        "delete dataset ITEMS",
        "delete schema s",
        "delete schema s-0a1b2c3d",
        "delete group group",
    ]
    after = {action.id: action.after for action in plan.actions}
    assert after["delete campaign c c"] == frozenset()
    assert after["delete solution p p"] == {"delete campaign c c"}
    assert len(after["delete group group g"]) == 6


def test_what_runs_is_stopped_or_waited_for_first() -> None:
    observed = replace(
        everything(filter={"status": "CREATE PENDING"}),
        versions={"p": (stage.version(2, status="CREATE IN_PROGRESS"), stage.version(1))},
        imports={"ITEMS": (stage.job("j", status="CREATE IN_PROGRESS"),)},
    )
    plan = plan_removal(stage.project(), observed, {})
    assert told(plan)[:3] == ["wait filter f", "wait import ITEMS", "stop version p"]
    assert all(len(action.after) >= 3 for action in plan.actions if action.verb == "delete")


def test_what_the_file_does_not_name_keeps_the_group() -> None:
    extra = Unmanaged("filter", "extra", "arn")
    streamed = Unmanaged("dataset", "EVENT_INTERACTIONS", "arn")
    observed = replace(everything(), unmanaged=(extra, streamed))
    plan = plan_removal(stage.project(), observed, {})
    assert "filter extra" in plan.blocked[0].blocked
    assert "delete dataset EVENT_INTERACTIONS" in told(plan)
    assert plan_removal(stage.project(), observed, {}, everything=True).blocked == ()


def test_nothing_is_left_to_do_the_second_time() -> None:
    assert plan_removal(stage.project(), Observed(), {}).actions == ()


def test_what_belongs_to_another_group_is_refused() -> None:
    observed = everything(filter={"datasetGroupArn": "theirs"})
    with pytest.raises(ProjectProblem, match="is taken by"):
        plan_removal(stage.project(), observed, {})
