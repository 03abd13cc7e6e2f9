"""A blend that is trained for seconds: its scores are worth little, and cost exactly what those of a whole one do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from matinee.data.interactions import InteractionLog
from matinee.models.base import FitOptions
from matinee.models.blend import Blend, BlendConfig
from matinee.models.transformer.config import TransformerConfig
from matinee.training.artifact import write_artifact

RECIPE = "aws-user-personalization-v2"
#: Users that the short training learns from, beside those who bring the items that these lack.
USERS = 600


def write_short(folder: Path, log: InteractionLog, whole: InteractionLog, *, users: int = USERS) -> None:
    """Train the blend of User-Personalization-v2, one epoch on a part of the users of `whole`, and write its artifact.

    The part holds every item, so that the catalogue has its full size. The users and histories kept are those of `log`.
    """
    model = Blend(BlendConfig(transformer=TransformerConfig(epochs=1)))
    model.fit(_part(whole, users).interactions, None, FitOptions())
    write_artifact(folder, model=model, log=log, manifest={"recipe": RECIPE, "data": {}})


def _part(log: InteractionLog, users: int) -> InteractionLog:
    data = log.interactions
    drawn = np.random.default_rng(0).permutation(data.n_users)[:users]
    chosen = np.zeros(data.n_users, np.bool_)
    chosen[drawn] = True
    missing = np.setdiff1d(data.item, data.item[chosen[data.user]])
    first = np.full(data.n_items, -1, np.int64)
    first[data.item[::-1]] = data.user[::-1]
    chosen[first[missing]] = True
    return replace(log, interactions=data.select(chosen[data.user]))
