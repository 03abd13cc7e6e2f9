"""Starting a recommender: the model that it served before it was stopped must be there, whole and unaltered."""

from __future__ import annotations

from matinee.errors import ArtifactProblem, JobFailed, StorageProblem
from matinee.jobs.task import Outcome, Task


def start_recommender(task: Task) -> Outcome:
    """Check every file of the model against its manifest. Nothing is trained."""
    from matinee.training.artifact import Artifact  # loads the numeric libraries, which a worker's start need not

    artifact = task.resource().private.get("artifact")
    if artifact is None:
        raise JobFailed(f"{task.job.arn} has no trained model. Delete it and create it again.")
    try:
        Artifact.open(task.objects.local(artifact))
    except (ArtifactProblem, StorageProblem) as problem:
        raise JobFailed(f"{task.job.arn} cannot be started. {problem}") from problem
    return Outcome()
