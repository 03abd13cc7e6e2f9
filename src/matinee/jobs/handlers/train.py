"""Training a solution version: its artifact stored as a whole, its metrics kept, versions too old retired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from matinee.control import retention
from matinee.control.solution_versions import TUNED_AT
from matinee.jobs.task import Outcome, Task
from matinee.jobs.training import train_best_recipe, train_recipe, update_recipe
from matinee.recipes import catalogue
from matinee.storage.objects import put_folder


def train(task: Task) -> Outcome:
    """Train what the version asks for. A training that was cut short goes on from its checkpoints.

    An UPDATE brings an earlier version up to date instead: the one that the payload names as `updates`.
    AutoML compares several recipes first and shows the one that it took, HPO the values that it found. Values that an
    earlier version's HPO has found come with the payload, as `tunedHPOParams`, and are shown in the same way.
    """
    payload = task.job.payload
    prefix = task.claim(payload["artifact"])
    recipes = [catalogue.find(arn) for arn in payload["recipes"]]
    recipe, tuned, private = recipes[0], dict[str, str](), dict[str, Any]()
    searches = payload.get("performAutoML") or payload.get("performHPO")
    if "updates" in payload:
        source = task.resource(payload["updates"]).private["artifact"]
        outcome, folder = update_recipe(task, recipe, payload, source)
    elif "tunedHPOParams" in payload:
        config = {**payload["solutionConfig"], "tunedHPOParams": payload["tunedHPOParams"]}
        outcome, folder = train_recipe(task, recipe, {**payload, "solutionConfig": config})
        tuned, private = payload["tunedHPOParams"]["algorithmHyperParameters"], {TUNED_AT: payload["tunedAt"]}
    elif searches:
        found, folder = train_best_recipe(task, recipes, payload)
        recipe, outcome, tuned = found.recipe, found.outcome, dict(found.tuned)
    else:
        outcome, folder = train_recipe(task, recipe, payload)
    task.reached("fitted")
    put_folder(task.objects, prefix, folder)
    task.reached("stored")
    attributes: dict[str, Any] = {"trainingHours": outcome.training_hours}
    if payload.get("performAutoML"):
        attributes["recipeArn"] = recipe.arn
    if tuned:
        attributes["tunedHPOParams"] = {"algorithmHyperParameters": tuned}
    private |= {"artifact": prefix, "metrics": dict(outcome.metrics)}
    return Outcome(attributes, private, commit=lambda connection: _retire(connection, task))


def _retire(connection: sa.Connection, task: Task) -> Sequence[str]:
    """Take away the versions that the new one makes too old; gives the places of their objects."""
    return retention.retire(connection, task.job.arn, keep=task.settings.keep_versions)
