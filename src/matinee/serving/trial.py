"""An experiment as serving sees it: which arm answers a user, and two arms' answers in one list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.control.experiments import INTERLEAVE
from matinee.experiments.assignment import assigned
from matinee.experiments.interleaving import team_draft

if TYPE_CHECKING:
    from matinee.serving.deployments import Deployment


@dataclass(frozen=True, eq=False)
class Trial:
    """The experiment that runs on a campaign. `arms` are deployments of its versions under the campaign's ARN."""

    mode: str
    salt: str
    shares: tuple[float, ...]
    arms: tuple[Deployment, ...]


def answering(deployment: Deployment, user_id: str | None, *, lists: bool) -> tuple[Deployment, ...]:
    """What answers a user: one deployment, or the two whose answers are interleaved, which only `lists` can be.

    A call without a user takes no part in an experiment.
    """
    trial = deployment.trial
    if trial is None or user_id is None:
        return (deployment,)
    if trial.mode == INTERLEAVE:
        return trial.arms if lists else (deployment,)
    return (trial.arms[assigned(trial.salt, user_id, trial.shares)],)


def interleaved(
    answers: Sequence[Sequence[Mapping[str, Any]]], results: int, random: np.random.Generator
) -> tuple[list[dict[str, Any]], list[int]]:
    """Two answers' elements drafted into one list of `results` at most, and the arm that put each one there."""
    by_id = [{str(element["itemId"]): dict(element) for element in answer} for answer in answers]
    items, teams = team_draft(list(by_id[0]), list(by_id[1]), results, random)
    return [by_id[team][item] for item, team in zip(items, teams, strict=True)], teams
