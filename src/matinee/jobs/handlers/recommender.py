"""Training a recommender's model: at its creation, when its training columns change, and every week.

Deploying needs no step of its own: the model that the recommender's row names is the one that answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matinee.errors import JobStopped
from matinee.jobs.task import Outcome, Task
from matinee.jobs.training import train_recipe
from matinee.recipes import catalogue
from matinee.storage.objects import put_folder


def recommender(task: Task) -> Outcome:
    """Train the use case on its own event type. The new model takes the old one's place when the job ends well; until
    then the old one answers."""
    payload = task.job.payload
    resource = task.resource()
    old: str | None = resource.private.get("artifact")
    prefix = task.claim(payload["artifact"])
    outcome, folder = train_recipe(task, catalogue.find(payload["recipeArn"]), _as_solution(payload))
    task.reached("fitted")
    put_folder(task.objects, prefix, folder)
    task.reached("stored")
    private = {"artifact": prefix, "metrics": dict(outcome.metrics)}
    return Outcome(private=private, commit=lambda _: () if old is None else (old,))


def refresh_recommender(task: Task) -> Outcome:
    """Train an ACTIVE recommender again on the data of now; one that was stopped meanwhile keeps its model."""
    if task.resource().status != "ACTIVE":
        raise JobStopped(f"{task.job.arn} is not ACTIVE any more.")
    return recommender(task)


def _as_solution(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as a solution's members: of the configuration only the training columns concern a training."""
    columns = payload["recommenderConfig"].get("trainingDataConfig")
    return {
        "datasetGroupArn": payload["datasetGroupArn"],
        "solutionConfig": {} if columns is None else {"trainingDataConfig": columns},
    }
