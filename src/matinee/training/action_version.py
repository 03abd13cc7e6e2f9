"""Trains versions that recommend actions: item factors for tastes, and a calibrated regression on top of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.actions import ActionEvents, Answer, action_events
from matinee.data.interactions import FloatArray, Histories, InteractionLog, Interactions
from matinee.errors import JobFailed
from matinee.evaluation.actions import LIST_LENGTH, action_metrics
from matinee.models.base import FitOptions, Progress
from matinee.models.exposures import DAY, Exposures, behaviour_at, behaviour_before, exposures, histories_before
from matinee.models.factors import Factors, scaled
from matinee.models.next_best_action import Examples, NextBestAction, NextBestActionConfig, enough_to_learn
from matinee.recipes.parameters import defaults, parse_parameters
from matinee.recipes.recipe import Place, Recipe
from matinee.training.action_data import ActionData
from matinee.training.artifact import ActionsToWrite, write_artifact
from matinee.training.card import with_card
from matinee.training.columns import ColumnEncoder
from matinee.training.manifest import LEAST_HOURS, about_training
from matinee.training.progress import PhasedProgress
from matinee.training.snapshot import Snapshot
from matinee.training.solution_version import TrainingOutcome

#: Actions that a group may have (spec 2.2).
MOST_ACTIONS = 1000
#: So many TAKEN and so many others must lie in the newest six weeks; with fewer, scores stay 0.0 (spec 4.3).
LEAST_ANSWERS, WITHIN_DAYS = 50, 42
#: Exposures that are learned from, the newest; the design matrix of these takes about 200 MB.
MOST_EXPOSURES = 50_000
#: One user in ten is kept for the metrics.
_TEST_SHARE = 0.1
_TASTES, _EVALUATION, _REFIT, _WRITE = "tastes", "evaluation", "refit", "write"


@dataclass(frozen=True)
class _Knowledge:
    """Everything that examples are made of; users are numbered as in `log`, actions as in `action_ids`."""

    log: InteractionLog
    events: ActionEvents
    action_ids: tuple[str, ...]
    z: FloatArray
    columns: ColumnEncoder
    attributes: FloatArray
    tastes: Factors

    def told_of(self, users: NDArray[np.int32], histories: Histories) -> FloatArray:
        """What is known of users with these histories (n, d): tastes, then attributes."""
        return np.concatenate([scaled(self.tastes.user_vectors(histories)), self.attributes[users]], axis=1)

    def examples(self, shown: Exposures) -> Examples:
        """Exposures as what the regression learns from: everything as it was just before them."""
        histories = histories_before(self.log.interactions, shown, self.tastes.config.history_items)
        x = self.told_of(shown.user, histories)
        return Examples(shown.user, x, shown.action, behaviour_before(self.events, shown), shown.taken)


@with_card
def train_actions(
    snapshot: Snapshot,
    data: ActionData,
    recipe: Recipe,
    config: Mapping[str, Any],
    out: Path,
    options: FitOptions,
) -> TrainingOutcome:
    """Train `recipe` on `snapshot` and the actions of `data`, and write the artifact into `out`.

    With too few answers the version is trained all the same: it explores, with scores of 0.0. Raises `JobFailed` when
    there are no actions, or too many.
    """
    started = time.monotonic()
    given = parse_parameters(recipe, Place.FEATURIZATION, config.get(Place.FEATURIZATION) or {})
    period = int((defaults(recipe) | given)["action_optimization_period"])
    progress = PhasedProgress(
        [(_TASTES, 20.0), (_EVALUATION, 40.0), (_REFIT, 35.0), (_WRITE, 5.0)], options.on_progress
    )
    progress.start(_TASTES, f"{recipe.name}: learning tastes from items")
    known = _knowledge(snapshot, data, config, progress.options(_TASTES, options))
    shown = exposures(known.events, period)
    model = NextBestAction(NextBestActionConfig(period))
    model.shown, model.bias = np.zeros(len(known.z), np.float32), np.zeros(len(known.z), np.float32)
    metrics, cases = {"coverage": 0.0}, 0
    if enough_answers(known.events):
        newest = shown.select(np.sort(np.argsort(-shown.time, kind="stable")[:MOST_EXPOSURES]))
        examples = known.examples(newest)
        progress.start(_EVALUATION, f"{recipe.name}: fitting on 90% of users")
        own = progress.options(_EVALUATION, options)
        metrics, cases = _evaluate(known, newest, examples, model.config, own)
        progress.start(_REFIT, f"{recipe.name}: fitting on all users")
        if enough_to_learn(examples.taken):
            model = model.fit(examples, known.z, progress.options(_REFIT, options))
    options.raise_if_stopped()
    progress.start(_WRITE, f"{recipe.name}: writing the artifact")
    evaluation = {"protocol": "actions", "cases": cases, "exposures": len(shown), "taken": int(shown.taken.sum())}
    manifest = write_artifact(
        out,
        model=known.tastes,
        log=known.log,
        created=snapshot.created,
        actions=ActionsToWrite(model, known.action_ids, known.columns, known.events),
        manifest=about_training(snapshot, recipe, options, metrics, evaluation=evaluation),
    )
    progress.report(_WRITE, Progress(1.0, f"{recipe.name}: trained", 0.0, metrics))
    hours = max(LEAST_HOURS, round((time.monotonic() - started) / 3600, 3))
    return TrainingOutcome(metrics=metrics, training_hours=hours, manifest=manifest)


def enough_answers(events: ActionEvents) -> bool:
    """Whether scores can be learned: enough TAKEN and enough others in the newest six weeks (spec 4.3)."""
    if not len(events):
        return False
    recent = events.timestamp > events.timestamp.max() - WITHIN_DAYS * DAY
    taken = events.answer[recent] == Answer.TAKEN
    return bool(taken.sum() >= LEAST_ANSWERS and (~taken).sum() >= LEAST_ANSWERS)


def _knowledge(snapshot: Snapshot, data: ActionData, config: Mapping[str, Any], options: FitOptions) -> _Knowledge:
    action_ids = tuple(data.actions["ACTION_ID"])
    if not action_ids:
        raise JobFailed("The Actions dataset has no actions. Import some, or put them with PutActions.")
    if len(action_ids) > MOST_ACTIONS:
        raise JobFailed(f"The Actions dataset has {len(action_ids)} actions; at most {MOST_ACTIONS} are allowed.")
    log = with_users(snapshot.log, data.events["USER_ID"].drop_nulls())
    columns = ColumnEncoder.of(snapshot.users, data.users_schema, keep=_trained_columns(snapshot.users, config))
    of_actions = ColumnEncoder.of(data.actions, data.schema)
    records = {str(record["USER_ID"]): record for record in snapshot.users.to_dicts()}
    return _Knowledge(
        log=log,
        events=action_events(data.events, log.user_ids, action_ids),
        action_ids=action_ids,
        z=of_actions.encode(data.actions.to_dicts()),
        columns=columns,
        attributes=columns.encode([records.get(user, {}) for user in log.user_ids]),
        tastes=Factors().fit(log.interactions, None, options),
    )


def with_users(log: InteractionLog, users: pl.Series) -> InteractionLog:
    """The log with users who have no item interaction added; IDs stay in the order of their bytes."""
    ids = tuple(pl.concat([pl.Series(log.user_ids, dtype=pl.String), users.cast(pl.String)]).unique().sort())
    number = {user: at for at, user in enumerate(ids)}
    renumbered = np.array([number[user] for user in log.user_ids], dtype=np.int32)
    data = log.interactions
    interactions = Interactions.of(
        renumbered[data.user],
        data.item,
        data.timestamp,
        n_users=len(ids),
        n_items=data.n_items,
        event_type=data.event_type,
        value=data.value,
    )
    return InteractionLog(interactions, ids, log.item_ids, log.event_types)


def _trained_columns(users: pl.DataFrame, config: Mapping[str, Any]) -> set[str]:
    """The columns of Users that `trainingDataConfig` leaves to train on."""
    told: Mapping[str, Any] = config.get("trainingDataConfig") or {}
    named = {member: {kind.upper(): set(names) for kind, names in (told.get(member) or {}).items()} for member in told}
    left = set(users.columns) - named.get("excludedDatasetColumns", {}).get("USERS", set())
    included = named.get("includedDatasetColumns", {}).get("USERS")
    return left if included is None else left & included


def _evaluate(
    known: _Knowledge, shown: Exposures, examples: Examples, config: NextBestActionConfig, options: FitOptions
) -> tuple[dict[str, float], int]:
    """The metrics on the exposures of one user in ten, whom the fit has not seen; and how many exposures these are."""
    chosen = np.random.default_rng([options.seed, 3]).random(known.log.interactions.n_users) < _TEST_SHARE
    test = chosen[examples.user]
    if not enough_to_learn(examples.taken[~test]) or not test.any():
        return {"coverage": 0.0}, 0
    model = NextBestAction(config).fit(examples.select(~test), known.z, options)
    held_out = examples.select(test)
    times, n = shown.time[test], len(known.z)
    scores, listed = np.zeros(len(held_out), np.float32), np.zeros(len(held_out), np.bool_)
    for row, action in enumerate(held_out.action):
        before = behaviour_at(known.events, int(held_out.user[row]), int(times[row]))
        found = model.propensities(held_out.x[row], before)
        scores[row] = found[action]
        listed[row] = (found > scores[row]).sum() < LIST_LENGTH
    return action_metrics(held_out.action, scores, listed, held_out.taken, n), len(held_out)
