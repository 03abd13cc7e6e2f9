"""What carries out each kind of job: one file each, registered here."""

from __future__ import annotations

from collections.abc import Mapping

from matinee.control.outbox import JobKind
from matinee.jobs.handlers.delete import delete
from matinee.jobs.handlers.deploy import deploy
from matinee.jobs.handlers.import_data import import_data
from matinee.jobs.handlers.settle import settle
from matinee.jobs.handlers.train import train
from matinee.jobs.task import Handler

HANDLERS: Mapping[JobKind, Handler] = {
    JobKind.SETTLE: settle,
    JobKind.DELETE: delete,
    JobKind.IMPORT: import_data,
    JobKind.TRAIN: train,
    JobKind.DEPLOY: deploy,
    JobKind.UPDATE_CAMPAIGN: deploy,
    JobKind.UPDATE_DATASET: settle,
    JobKind.UPDATE_SOLUTION: settle,
}
