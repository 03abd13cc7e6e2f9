"""Deploying: the solution version that a campaign is to serve must be there, whole and unaltered."""

from __future__ import annotations

from matinee.errors import ArtifactProblem, JobFailed, StorageProblem
from matinee.jobs.task import Outcome, Task


def deploy(task: Task) -> Outcome:
    """Check every file of the artifact against its manifest. What serves it maps the same files into memory.

    For an update the version is the new one; the campaign serves the old one until the job ends.
    """
    from matinee.training.artifact import Artifact  # loads the numeric libraries, which a worker's start need not

    becomes = task.job.payload.get("becomes", {})
    arn = becomes.get("solutionVersionArn") or task.resource()["solutionVersionArn"]
    version = task.resource(arn)
    artifact = version.private.get("artifact")
    if artifact is None:
        raise JobFailed(f"{arn} has no trained model. Train the solution again and deploy the new version.")
    try:
        Artifact.open(task.objects.local(artifact))
    except (ArtifactProblem, StorageProblem) as problem:
        raise JobFailed(f"{arn} cannot be deployed. {problem}") from problem
    return Outcome()
