"""What the manifest of an artifact says of a training, beyond the model and the files."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import matinee
from matinee.models.base import FitOptions
from matinee.recipes.recipe import Recipe
from matinee.training.snapshot import Snapshot

#: What `trainingHours` shows at least: it has 3 decimals, and no training takes no time.
LEAST_HOURS = 0.001


def about_training(
    snapshot: Snapshot,
    recipe: Recipe,
    options: FitOptions,
    metrics: Mapping[str, float],
    *,
    evaluation: Mapping[str, Any],
    unused: Sequence[str] = (),
) -> dict[str, Any]:
    """The entries of a training that is measured on a part of its data and then fitted on all of it.

    `evaluation` says how it was measured, `unused` names parameters that this version has no counterpart of.
    """
    return {
        "matinee": matinee.__version__,
        "recipe": recipe.arn,
        "seed": options.seed,
        "created": time.time_ns() // 1_000_000,
        "data": snapshot.summary(),
        "fitted_on": "all users",
        "metrics": dict(metrics),
        "evaluation": {"seed": options.seed, **evaluation},
        "unused_parameters": list(unused),
    }
