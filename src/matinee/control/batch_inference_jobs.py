"""Batch inference jobs: recommendations for many inputs, from a version and without a campaign."""

from __future__ import annotations

from matinee.control import batch_rules, quotas
from matinee.control.batch_themes import PLAIN, check_mode
from matinee.control.kind import Answer, Kind, Request, given, members
from matinee.control.operation import Operation
from matinee.control.outbox import JobKind
from matinee.control.serving_config import check_exploration, check_influence
from matinee.errors import InvalidInput
from matinee.filters.syntax import Target
from matinee.recipes import catalogue
from matinee.recipes.catalogue import Call, Recipe

BATCH_INFERENCE_JOB = Kind(
    word="batch-inference-job",
    member="batchInferenceJob",
    plural="batchInferenceJobs",
    described=members(
        "jobName batchInferenceJobArn filterArn failureReason solutionVersionArn numResults jobInput jobOutput "
        "batchInferenceJobConfig roleArn batchInferenceJobMode themeGenerationConfig status"
    ),
    summarised=members("batchInferenceJobArn jobName status failureReason solutionVersionArn batchInferenceJobMode"),
    within="solutionVersionArn",
    named="jobName",
)

MOST_RESULTS = 500
#: Answers that change by the hour, and actions, are not given in batch.
_NOT_IN_BATCH = ("aws-trending-now", "aws-next-best-action")


def create_batch_inference_job(operation: Operation, request: Request) -> Answer:
    """Answer each line of the input. The job's payload: the members of Describe, and `datasetGroupArn`."""
    arn = operation.free_arn(f"batch-inference-job/{request['jobName']}")
    version = batch_rules.trained_version(operation, request["solutionVersionArn"])
    recipe = catalogue.find(version["recipeArn"])
    _check_recipe(recipe)
    check_mode(operation, request, recipe, version["datasetGroupArn"])
    config = request.get("batchInferenceJobConfig", {})
    check_exploration(config, recipe)
    check_influence(config, recipe)
    batch_rules.check_filter(operation, request, version, Target.ITEM)
    attributes = {
        **batch_rules.shared_attributes(request, version, MOST_RESULTS),
        **given(request, "batchInferenceJobConfig", "themeGenerationConfig"),
        "batchInferenceJobMode": request.get("batchInferenceJobMode", PLAIN),
    }
    operation.leave_room(quotas.BATCH_INFERENCE_JOBS)
    operation.create(
        BATCH_INFERENCE_JOB,
        arn,
        request["jobName"],
        attributes,
        parent=version.arn,
        uses=batch_rules.uses(request, version),
        tags=request.get("tags", ()),
        job=JobKind.BATCH_INFERENCE,
        payload={**attributes, "datasetGroupArn": version["datasetGroupArn"]},
    )
    return {BATCH_INFERENCE_JOB.arn_member: arn}


def describe_batch_inference_job(operation: Operation, request: Request) -> Answer:
    """One batch inference job."""
    return operation.describe(BATCH_INFERENCE_JOB, request)


def list_batch_inference_jobs(operation: Operation, request: Request) -> Answer:
    """The caller's batch inference jobs, or those of one version."""
    return operation.list(BATCH_INFERENCE_JOB, request)


def _check_recipe(recipe: Recipe) -> None:
    if recipe.call is Call.SEGMENT:
        raise InvalidInput(f"{recipe.name} makes user segments. Use CreateBatchSegmentJob.")
    if recipe.name in _NOT_IN_BATCH:
        raise InvalidInput(f"{recipe.name} does not support batch inference. Use a campaign.")


OPERATIONS = (create_batch_inference_job, describe_batch_inference_job, list_batch_inference_jobs)
