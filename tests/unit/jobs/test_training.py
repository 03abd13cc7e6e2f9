"""What a job gives to its training: the settings of its worker, or a word on the one that cannot be kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.jobs.rig import House

from matinee.control import lifecycle
from matinee.control.outbox import Job
from matinee.errors import JobFailed
from matinee.jobs.task import Task
from matinee.jobs.training import _options


def _task(house: House, **settings: object) -> Task:
    job_id = house.settle("g")
    with house.database.transaction() as connection:
        job = lifecycle.begin(connection, job_id)
    assert isinstance(job, Job)
    workshop = house.workshop
    return Task(replace(workshop, settings=replace(workshop.settings, **settings)), job, attempt=1)  # type: ignore[arg-type]


def test_a_training_is_carried_out_as_the_settings_say(house: House) -> None:
    options = _options(_task(house, threads=2, bfloat16=True, compiled=True))
    assert (options.threads, options.device, options.bfloat16, options.compiled) == (2, "cpu", True, True)


def test_a_device_that_is_not_there_fails_the_job_and_names_the_setting(house: House) -> None:
    with pytest.raises(JobFailed, match=r"MATINEE_DEVICE names 'abacus', where this worker cannot train: .*Set it to"):
        _options(_task(house, device="abacus"))
