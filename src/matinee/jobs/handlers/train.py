"""Training a solution version: its artifact stored as a whole, its metrics kept, versions too old retired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from matinee.control import retention
from matinee.jobs.task import Outcome, Task
from matinee.jobs.training import train_recipe
from matinee.recipes import catalogue
from matinee.storage.objects import put_folder

#: The metric by which AutoML chooses among its recipes.
_DECIDES = "normalized_discounted_cumulative_gain_at_25"


def train(task: Task) -> Outcome:
    """Train what the version asks for. A training that was cut short goes on from its checkpoints.

    With several recipes (AutoML) each is trained, and the one with the best metric is kept.
    """
    payload = task.job.payload
    prefix = task.claim(payload["artifact"])
    recipes = [catalogue.find(arn) for arn in payload["recipes"]]
    trained = [
        (recipe, *train_recipe(task, recipe, payload, number=number, of=len(recipes)))
        for number, recipe in enumerate(recipes)
    ]
    task.reached("fitted")
    recipe, outcome, folder = max(trained, key=lambda one: one[1].metrics.get(_DECIDES, 0.0))
    put_folder(task.objects, prefix, folder)
    task.reached("stored")
    attributes: dict[str, Any] = {"trainingHours": round(sum(one[1].training_hours for one in trained), 3)}
    if len(recipes) > 1:
        attributes["recipeArn"] = recipe.arn
    private = {"artifact": prefix, "metrics": dict(outcome.metrics)}
    return Outcome(attributes, private, commit=lambda connection: _retire(connection, task))


def _retire(connection: sa.Connection, task: Task) -> Sequence[str]:
    """Take away the versions that the new one makes too old; gives the places of their objects."""
    return retention.retire(connection, task.job.arn, keep=task.settings.keep_versions)
