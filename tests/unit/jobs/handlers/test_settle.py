"""Settling: states only."""

from __future__ import annotations

from tests.unit.jobs.rig import House, arn

from matinee.jobs.handlers import HANDLERS
from matinee.jobs.workflow import run_job


def test_a_settled_resource_is_active(house: House) -> None:
    assert run_job(house.workshop, HANDLERS, house.settle("g")) == "DONE"
    assert house.status(arn("dataset-group/g")) == ("ACTIVE", None)
