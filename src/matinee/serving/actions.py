"""Which actions to recommend to a user now: what the rules and the filter leave, by the chance that they are taken.

An action that nobody was shown before the training has no probability yet. It is given a chance to be seen: its place
comes from a draw of what its rate may be, its score reads 0.0 (spec 4.3, 7.4).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.control.context import Caller
from matinee.data.actions import Answer
from matinee.data.interactions import FloatArray, Histories, LongArray
from matinee.errors import ArtifactProblem, InvalidInput
from matinee.filters.columns import Mask
from matinee.filters.evaluation import Request, allowed
from matinee.filters.syntax import Dataset, Target
from matinee.models.exposures import behaviour
from matinee.models.factors import Factors, scaled
from matinee.models.next_best_action import PRIOR_STRENGTH
from matinee.recipes.catalogue import Call
from matinee.serving.action_table import DAY, ActionTable
from matinee.serving.asked import Asked
from matinee.serving.dataset_records import DatasetRecords
from matinee.serving.freshness import View
from matinee.serving.ranking import SCORE_DIGITS
from matinee.serving.scene import Scene, Stage
from matinee.serving.streamed_actions import HORIZON
from matinee.training.artifact import ActionHistory, Artifact, TrainedActions

_MOST_TABLES = 64


@dataclass(frozen=True, eq=False)
class ActionState:
    """What a user did about actions, oldest first, each (events,): numbers of the action table, times, `Answer`s."""

    actions: LongArray
    timestamps: LongArray
    answers: NDArray[np.int8]

    def of_types(self, types: frozenset[str] | None) -> NDArray[np.int64]:
        """Actions that the user has an event of `types` for, in whichever spelling (spec 2.2); None for any."""
        if types is None:
            return self.actions
        named = {name.strip().upper().replace(" ", "_") for name in types}
        return self.actions[np.isin(self.answers, [answer for answer in Answer if answer.name in named])]


class ActionRecommender:
    """Answers GetActionRecommendations; keeps in memory what calls share."""

    def __init__(self, stage: Stage, random: np.random.Generator) -> None:
        self._stage, self._random = stage, random
        self._tables: OrderedDict[int, ActionTable] = OrderedDict()

    def recommend(self, view: View, caller: Caller, asked: Asked) -> list[tuple[str, float]]:
        """Action IDs with their scores, the best first. Raises as spec 7.9 has it."""
        scene = self._stage.scene(view, caller, asked, Call.ACTIONS)
        trained = scene.artifact.actions
        if trained is None:
            raise InvalidInput(f"{asked.arn} has no model of actions; train the solution again.")
        now = time.time()
        dataset = scene.group.datasets.get("ACTIONS")
        table = self._table(None if dataset is None else self._stage.records(view, dataset))
        state = self._state(scene, trained, table)
        candidates = table.open_at(now) & ~_waiting(table, state, now) & self._allowed(scene, table, state)
        scores = self._scores(scene, trained, table, state, now)
        return self._chosen(np.flatnonzero(candidates), scores, table, asked.results)

    def _chosen(
        self, candidates: LongArray, scores: FloatArray, table: ActionTable, results: int
    ) -> list[tuple[str, float]]:
        """The best by score; where two are as likely the one that is worth more, then the one known first."""
        worth = np.round(scores[candidates].astype(np.float64), SCORE_DIGITS)
        unscored = worth <= 0
        mean = float(worth[~unscored].mean()) if (~unscored).any() else 0.5
        draws = self._random.beta(max(mean, 1e-3) * PRIOR_STRENGTH, (1 - mean) * PRIOR_STRENGTH, size=len(candidates))
        place = np.where(unscored, draws, worth)
        value = np.nan_to_num(table.value[candidates], nan=0.0)
        order = np.lexsort((candidates, -value, -place))[:results]
        return [(table.ids[int(candidates[at])], float(worth[at])) for at in order]

    def _scores(
        self, scene: Scene, trained: TrainedActions, table: ActionTable, state: ActionState, now: float
    ) -> FloatArray:
        """The probability of each action of the table (n + 1,); 0 for those that the model was not shown."""
        to_model = _model_numbers(trained, table)
        known = to_model[state.actions]
        own = known >= 0
        events = ActionHistory(known[own].astype(np.int32), state.timestamps[own], state.answers[own])
        record = self._stage.current_user(scene) if trained.columns.width else {}
        histories = scene.state.histories(scene.artifact.n_items)
        found = propensities(scene.artifact, trained, histories, record, events, int(now))
        return np.where(to_model >= 0, found[np.maximum(to_model, 0)], 0).astype(np.float32)

    def _state(self, scene: Scene, trained: TrainedActions, table: ActionTable) -> ActionState:
        """The events at training and those streamed; a streamed one that was there at training counts once."""
        user = str(scene.asked.user_id)
        history = scene.artifact.action_history(user)
        rows = {
            (trained.ids[int(action)], int(at), int(answer)): None
            for action, at, answer in zip(history.actions, history.timestamps, history.answers, strict=True)
        }
        streamed = self._stage.answers(scene.view, scene.deployment.group_arn, user)
        rows |= {(one.action_id, one.at, int(one.answer)): None for one in streamed}
        newest = sorted(rows, key=lambda row: row[1])[-HORIZON:]
        return ActionState(
            actions=np.array([table.number(action) for action, _, _ in newest], dtype=np.int64),
            timestamps=np.array([at for _, at, _ in newest], dtype=np.int64),
            answers=np.array([answer for _, _, answer in newest], dtype=np.int8),
        )

    def _allowed(self, scene: Scene, table: ActionTable, state: ActionState) -> Mask:
        """What the call's filter lets through (n + 1,)."""
        asked = scene.asked.filter
        if asked is None:
            return np.ones(table.unknown + 1, np.bool_)
        bound = self._stage.bound(scene.view, scene.caller, asked, scene.deployment.group_arn, Target.ACTION)
        user = self._stage.current_user(scene) if bound.uses(Dataset.CURRENT_USER) else {}
        return allowed(bound, table.table, Request(events=state, current_user=user))

    def _table(self, records: DatasetRecords | None) -> ActionTable:
        """The table of these records, built when they are new."""
        table = self._tables.get(id(records))
        # The id may have been given to another object since; the table itself keeps the right one alive.
        if table is None or table.records is not records:
            table = self._tables[id(records)] = ActionTable(records)
            while len(self._tables) > _MOST_TABLES:
                self._tables.popitem(last=False)
        return table


def propensities(
    artifact: Artifact,
    trained: TrainedActions,
    histories: Histories,
    record: Mapping[str, Any],
    events: ActionHistory,
    now: int,
) -> FloatArray:
    """The probability of each action of the model (n_actions,) for one user at `now`, epoch seconds.

    `histories` is a batch of one; `record` is what the Users dataset says of them; `events` are all before `now`.
    Raises `ArtifactProblem` for an artifact without tastes.
    """
    if not isinstance(artifact.model, Factors):
        raise ArtifactProblem(f"The artifact in {artifact.folder} has no model of tastes. Train the solution again.")
    tastes = scaled(artifact.model.user_vectors(histories))[0]
    x = np.concatenate([tastes, trained.columns.encode([record])[0]])
    n = trained.model.n_actions
    return trained.model.propensities(x, behaviour(events.actions, events.timestamps, events.answers, n, now))


def _waiting(table: ActionTable, state: ActionState, now: float) -> Mask:
    """Actions that may not be repeated yet: the user had one of their events within REPEAT_FREQUENCY days (n + 1,)."""
    newest = np.full(table.unknown + 1, -np.inf)
    np.maximum.at(newest, state.actions, state.timestamps.astype(np.float64))
    return np.asarray(now - newest < table.repeat_days * DAY)


def _model_numbers(trained: TrainedActions, table: ActionTable) -> LongArray:
    """Each action's number in the model (n + 1,), -1 for one that it does not know."""
    found: Sequence[int | None] = [trained.ids.find(one) for one in table.ids]
    return np.array([*(-1 if number is None else number for number in found), -1], dtype=np.int64)
