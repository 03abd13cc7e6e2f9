"""What carries out each kind of job: one file each, registered here."""

from __future__ import annotations

from collections.abc import Mapping

from matinee.control.outbox import JobKind
from matinee.jobs.handlers.attribute import attribute
from matinee.jobs.handlers.batch_inference import batch_inference
from matinee.jobs.handlers.batch_segment import batch_segment
from matinee.jobs.handlers.data_deletion import data_deletion
from matinee.jobs.handlers.delete import delete
from matinee.jobs.handlers.deploy import deploy
from matinee.jobs.handlers.export import export
from matinee.jobs.handlers.import_data import import_data
from matinee.jobs.handlers.recommender import recommender, refresh_recommender
from matinee.jobs.handlers.settle import settle
from matinee.jobs.handlers.start_recommender import start_recommender
from matinee.jobs.handlers.train import train
from matinee.jobs.handlers.update_model import update_model
from matinee.jobs.task import Handler

HANDLERS: Mapping[JobKind, Handler] = {
    JobKind.SETTLE: settle,
    JobKind.DELETE: delete,
    JobKind.IMPORT: import_data,
    JobKind.TRAIN: train,
    JobKind.DEPLOY: deploy,
    JobKind.EXPORT: export,
    JobKind.DATA_DELETION: data_deletion,
    JobKind.BATCH_INFERENCE: batch_inference,
    JobKind.BATCH_SEGMENT: batch_segment,
    JobKind.UPDATE_CAMPAIGN: deploy,
    JobKind.UPDATE_DATASET: settle,
    JobKind.UPDATE_SOLUTION: settle,
    JobKind.RECOMMENDER: recommender,
    JobKind.RETRAIN_RECOMMENDER: recommender,
    JobKind.REFRESH_RECOMMENDER: refresh_recommender,
    JobKind.UPDATE_MODEL: update_model,
    JobKind.ATTRIBUTE: attribute,
    JobKind.START_RECOMMENDER: start_recommender,
    JobKind.STOP_RECOMMENDER: settle,
    JobKind.UPDATE_RECOMMENDER: settle,
}
