"""Lines of a batch that name a user and nothing else, answered together: arrays in the place of a scene for each.

What they are answered with is what `answers.recommended` gives for one scene, to rounding.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, Histories, LongArray
from matinee.errors import ApiError
from matinee.filters.columns import Mask
from matinee.filters.each import Pairs, held_back_each
from matinee.filters.syntax import Dataset, Filter, Target
from matinee.models.histories import rows_of
from matinee.recipes.catalogue import Call, Scores
from matinee.serving.asked import FilterAsked
from matinee.serving.batch_input import id_of
from matinee.serving.explorer import Explorer
from matinee.serving.ranking import Lists, best_of_each, probabilities_of_each
from matinee.serving.scene import Scene, Stage
from matinee.serving.streamed_events import HORIZON
from matinee.training.artifact import Artifact


@dataclass(frozen=True, eq=False)
class Trained:
    """The events of many users at training. `kinds` (total,) index `names`, event types in lower case."""

    histories: Histories
    kinds: NDArray[np.int16]
    names: tuple[str, ...]
    learned: tuple[str, ...]

    @classmethod
    def of(cls, artifact: Artifact, user_ids: Sequence[str]) -> Trained:
        """Those of the users that the artifact knows; nothing of the others."""
        histories = artifact.histories_of(user_ids)
        assert histories.event_types is not None  # noqa: S101
        # As in `user_state`: the last name is that of an event without a type, two spellings of one type are one.
        names = (*(name.lower() for name in artifact.event_types), "")
        canonical = np.array([names.index(name) for name in names], np.int16)
        learned = tuple(name.lower() for name in artifact.trained_types)
        return cls(histories, canonical[histories.event_types], names, learned)

    def __len__(self) -> int:
        return len(self.histories)

    def of_types(self, types: frozenset[str] | None) -> Pairs:
        """Rows and items of each user's newest 100 events of each of `types`; None for every type."""
        rows = rows_of(self.histories.indptr)
        found: list[LongArray] = []
        for kind, name in enumerate(self.names):
            if types is None or name in types:
                own = np.flatnonzero(self.kinds == kind)
                ends = np.searchsorted(rows[own], np.arange(len(self)), side="right")
                found.append(own[ends[rows[own]] - np.arange(len(own)) <= HORIZON])
        events = np.concatenate(found) if found else np.zeros(0, np.int64)
        return rows[events], self.histories.items[events].astype(np.int64)

    def read(self) -> Histories:
        """What the model scores for: the events of the types that it learned from, numbered as it numbers them."""
        if not self.learned:
            return replace(self.histories, event_types=None)
        numbers = {"": -1} | {name: at for at, name in enumerate(self.learned)}
        known = np.array([name in numbers for name in self.names], np.bool_)
        kept = self.histories if known.all() else self.histories.of_events(np.flatnonzero(known[self.kinds]))
        kinds = self.kinds if known.all() else self.kinds[known[self.kinds]]
        types = np.array([numbers.get(name, -1) for name in self.names], np.int16)[kinds]
        return replace(kept, event_types=types)


@dataclass(frozen=True, eq=False)
class PlainLines:
    """What all such lines of a job share at one moment. `empty` is the scene of a user of whom nothing is known."""

    stage: Stage
    empty: Scene
    filter: Filter | None

    @classmethod
    def of(cls, stage: Stage, explorer: Explorer, empty: Scene, filter_arn: str | None) -> PlainLines | None:
        """None where lines must be answered one by one: for their own sake, or because each may fail in its own way."""
        deployment = empty.deployment
        recipe = deployment.recipe
        if recipe.call is not Call.RECOMMENDATIONS or recipe.item_recipe or recipe.auto_filter or deployment.diversity:
            return None
        if explorer.any_candidate(empty):
            return None
        if filter_arn is None:
            return cls(stage, empty, None)
        try:
            asked = FilterAsked(filter_arn, {})
            bound = stage.bound(empty.view, empty.caller, asked, deployment.group_arn, Target.ITEM)
        except ApiError:
            return None
        return None if bound.uses(Dataset.CURRENT_USER) else cls(stage, empty, bound)

    def user_of(self, given: Any) -> str | None:
        """The user that a line names; None for a line that is not plain. Raises `InvalidInput` for no ID."""
        if not isinstance(given, dict) or given.get("context") or given.get("filterValues"):
            return None
        return id_of(given.get("userId"), "userId")

    def lists(self, user_ids: Sequence[str]) -> tuple[Lists, NDArray[np.float64] | None, Collection[int]]:
        """The items for each user, their scores where the recipe has any, and rows to be answered one by one."""
        artifact, recipe = self.empty.artifact, self.empty.deployment.recipe
        trained = Trained.of(artifact, user_ids)
        scores = artifact.model.score(self._asked(trained, user_ids))
        allowed = scores if self.filter is None else self._allowed(trained, scores, self.filter)
        lists = best_of_each(allowed, self.empty.asked.results)
        short: Collection[int] = ()
        if self.filter is not None and recipe.reasons:  # others stand in their places, which have no score
            short = np.flatnonzero(np.diff(lists.indptr) < self.empty.asked.results).tolist()
        if recipe.scores is Scores.NONE:
            return lists, None, short
        return lists, probabilities_of_each(scores, allowed, recipe.scores, lists), short

    def _asked(self, trained: Trained, user_ids: Sequence[str]) -> Histories:
        """What the model is asked, as `Scene.history` has it for one."""
        n, artifact, empty = len(trained), self.empty.artifact, self.empty
        context = artifact.inputs.context_row({})
        attributes = None
        if artifact.inputs.attributes.width:
            own = (self.stage.attributes(empty.view, empty.group, artifact, user) for user in user_ids)
            attributes = np.concatenate([row for row in own if row is not None])
        return replace(
            trained.read(),
            now=np.full(n, empty.asked.now, np.int64),
            context=None if context is None else np.repeat(context, n, axis=0),
            attributes=attributes,
            recent=None if empty.recent is None else np.broadcast_to(empty.recent, (n, len(empty.recent))),
        )

    def _allowed(self, trained: Trained, scores: FloatArray, bound: Filter) -> FloatArray:
        """`scores` with -inf for what the filter holds back."""
        held_back: Mask = held_back_each(bound, self.empty.items.table, trained)[:, : scores.shape[1]]
        own = scores if self.empty.deployment.recipe.scores is Scores.SOFTMAX_CANDIDATES else scores.copy()
        np.copyto(own, np.float32(-np.inf), where=held_back)
        return own
