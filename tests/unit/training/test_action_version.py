"""Training on actions: what is refused, who is added, when scores can be learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.unit.training.generated import START

from matinee.data.actions import ActionEvents, Answer
from matinee.data.interactions import InteractionLog
from matinee.errors import JobFailed
from matinee.models.base import FitOptions, Progress
from matinee.models.exposures import DAY
from matinee.recipes import catalogue
from matinee.training.action_data import EVENT_COLUMNS, ActionData
from matinee.training.action_version import enough_answers, train_actions, with_users
from matinee.training.artifact import Artifact
from matinee.training.selection import Selection
from matinee.training.snapshot import Snapshot

RECIPE = catalogue.find("aws-next-best-action")


def snapshot(log: InteractionLog) -> Snapshot:
    users = pl.DataFrame({"USER_ID": log.user_ids})
    return Snapshot(log, pl.DataFrame({"ITEM_ID": log.item_ids}), users, np.zeros(80, np.int64), 80, Selection())


def data(log: InteractionLog, actions: list[str]) -> ActionData:
    """Every user took the first action or refused it, as their number is even or odd, every 20 days."""
    rows = [
        (user, "call", "Taken" if number % 2 else "Not taken", START + (20 * turn + 10) * DAY)
        for number, user in enumerate(log.user_ids)
        for turn in range(3)
    ]
    return ActionData(
        pl.DataFrame({"ACTION_ID": actions}, schema={"ACTION_ID": pl.String}),
        pl.DataFrame(rows, schema=EVENT_COLUMNS, orient="row"),
        None,
        None,
    )


def test_the_artifact_knows_actions_and_the_card_the_metrics(log: InteractionLog, folder: Path) -> None:
    seen: list[Progress] = []
    options = FitOptions(seed=2, on_progress=seen.append)
    outcome = train_actions(snapshot(log), data(log, ["call", "join"]), RECIPE, {}, folder, options)
    artifact = Artifact.open(folder)
    assert artifact.actions is not None
    assert artifact.actions.model.shown.tolist() == [180, 0]
    assert outcome.metrics["auc"] > 0.9
    assert artifact.manifest["metrics"] == outcome.metrics
    assert outcome.training_hours >= 0.001
    assert [step.fraction for step in seen] == sorted(step.fraction for step in seen)
    assert seen[-1].fraction == 1.0


def test_the_same_data_and_seed_write_the_same_model(log: InteractionLog, folder: Path) -> None:
    for name in ("one", "two"):
        train_actions(snapshot(log), data(log, ["call"]), RECIPE, {}, folder / name, FitOptions(seed=2))
    first, second = (Artifact.open(folder / name).manifest["files"] for name in ("one", "two"))
    assert first == second


@pytest.mark.parametrize(
    ("actions", "sentence"), [([], "has no actions"), ([f"a{n}" for n in range(1001)], "at most 1000")]
)
def test_too_few_and_too_many_actions_are_refused(
    log: InteractionLog, folder: Path, actions: list[str], sentence: str
) -> None:
    with pytest.raises(JobFailed, match=sentence):
        train_actions(snapshot(log), data(log, actions), RECIPE, {}, folder, FitOptions())


def test_users_without_items_are_known_too(log: InteractionLog) -> None:
    wider = with_users(log, pl.Series(["u3", "someone"]))
    assert set(wider.user_ids) == {*log.user_ids, "someone"}
    assert list(wider.user_ids) == sorted(wider.user_ids)
    for user in ("u3", "u59"):
        old, new = log.user_ids.index(user), wider.user_ids.index(user)
        np.testing.assert_array_equal(wider.interactions.history(new), log.interactions.history(old))
    assert len(wider.interactions.history(wider.user_ids.index("someone"))) == 0


@pytest.mark.parametrize(
    ("taken", "others", "days", "enough"), [(50, 50, 1, True), (49, 60, 1, False), (50, 50, 43, False)]
)
def test_scores_need_fifty_of_each_in_six_weeks(taken: int, others: int, days: int, enough: bool) -> None:
    answers = np.array([Answer.TAKEN] * taken + [Answer.VIEWED] * others + [Answer.VIEWED], np.int8)
    times = np.array([START] * (taken + others) + [START + days * DAY], np.int64)
    zeros = np.zeros(len(answers), np.int32)
    events = ActionEvents.of(zeros, zeros, times, answers, n_users=1, n_actions=1)
    assert enough_answers(events) is enough
