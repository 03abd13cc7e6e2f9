"""Everything that one runtime call is answered from: the deployment, its items, the user, the current item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from matinee.control.context import Caller
from matinee.data.interactions import FloatArray
from matinee.errors import InvalidInput
from matinee.filters.columns import Mask
from matinee.filters.evaluation import Request, allowed
from matinee.filters.syntax import Dataset, Target
from matinee.models.base import RelatedItemsModel
from matinee.recipes.catalogue import Call
from matinee.serving.applied_filters import AppliedFilters
from matinee.serving.asked import Asked, FilterAsked
from matinee.serving.dataset_records import RecordReader
from matinee.serving.deployments import Deployment, Deployments
from matinee.serving.freshness import View
from matinee.serving.groups import Group, Groups
from matinee.serving.item_table import ItemTable, ItemTables
from matinee.serving.ranking import with_popular_tail
from matinee.serving.streamed_events import StreamedEvents
from matinee.serving.user_state import UserState, UserStates
from matinee.storage.objects import ObjectStore
from matinee.training.artifact import Artifact


@dataclass(frozen=True, eq=False)
class Scene:
    """The parts of one call, all of the same moment."""

    view: View
    caller: Caller
    asked: Asked
    deployment: Deployment
    artifact: Artifact
    group: Group
    items: ItemTable
    state: UserState

    @property
    def size(self) -> int:
        """Items that masks of this call cover: the table's, and the strangers among the user's events."""
        return self.items.table.n + len(self.state.strangers)

    def number(self, item_id: str) -> int:
        """The number of an item in this call's masks."""
        number = self.items.number(item_id)
        return self.state.strangers.get(item_id, number) if number == self.items.unknown else number

    def scores(self) -> FloatArray:
        """The model's scores (size,); -inf for what it does not know and for the item asked about."""
        known = self._neighbours() if self.deployment.recipe.item_recipe else self._personal()
        scores = np.full(self.size, -np.inf, np.float32)
        scores[: len(known)] = known
        return scores

    def _personal(self) -> FloatArray:
        scores: FloatArray = self.artifact.model.score(self.state.histories(self.artifact.n_items))[0]
        return scores

    def _neighbours(self) -> FloatArray:
        """Scores of the items like `itemId`; popular items for one that the model does not know (spec 7.9)."""
        model, item = self.artifact.model, self.artifact.item_index(str(self.asked.item_id))
        if not isinstance(model, RelatedItemsModel):
            raise InvalidInput(f"{self.deployment.arn} has a model that does not relate items; train it again.")
        if item is None:
            item = -1
        scores = model.score_related(np.array([item], dtype=np.int32))[0]
        return with_popular_tail(scores, self.artifact.popularity)

    def check_context(self) -> None:
        """Raise `InvalidInput` when a context key is not a column of the Interactions dataset."""
        schema = self.group.schemas.get("INTERACTIONS")
        names = {field.name.upper() for field in schema.fields} if schema else set()
        unknown = [key for key in self.asked.context if key.upper() not in names]
        if unknown:
            raise InvalidInput(f"The context key {unknown[0]} is not a column of the Interactions dataset.")

    def automatic(self) -> Mask:
        """What the use case itself lets through (size,).

        Not the item asked about, not what the user has had, never an ID that is no item.
        """
        mask = np.ones(self.size, np.bool_)
        mask[self.items.unknown :] = False
        if self.deployment.recipe.item_recipe:
            mask[self.number(str(self.asked.item_id))] = False
        if self.deployment.recipe.auto_filter is not None:
            mask[self.state.of_types(frozenset({self.deployment.recipe.auto_filter.lower()}))] = False
        return mask


class Stage:
    """Builds scenes; keeps in memory what calls share."""

    def __init__(self, objects: ObjectStore) -> None:
        self._deployments = Deployments(objects)
        self._groups = Groups()
        self._filters = AppliedFilters(self._groups)
        self._records = RecordReader(objects)
        self._tables = ItemTables()
        self._streamed = StreamedEvents()
        self._states = UserStates()

    def scene(self, view: View, caller: Caller, asked: Asked, call: Call) -> Scene:
        """The scene of one call. Raises `ResourceNotFound` and `InvalidInput` as spec 7.9 has it."""
        deployment = self._deployments.resolve(view, caller, asked.arn, asked.kind, call)
        asked.check_ids(deployment.recipe)
        artifact = self._deployments.artifact(deployment)
        group = self._groups.get(view, deployment.group_arn)
        dataset = group.datasets.get("ITEMS")
        items = self._tables.get(artifact, None if dataset is None else self._records.get(view, dataset))
        user = asked.user_id or ""
        events = self._streamed.get(view, deployment.group_arn, user) if user else ()
        state = self._states.get(artifact, user, events, items)
        return Scene(view, caller, asked, deployment, artifact, group, items, state)

    def allowed(self, scene: Scene, asked: FilterAsked | None) -> Mask:
        """What a filter of the request lets through (scene.size,); everything without one."""
        if asked is None:
            return np.ones(scene.size, np.bool_)
        related = scene.deployment.recipe.item_recipe
        bound = self._filters.bound(
            scene.view,
            scene.caller,
            asked.arn,
            asked.values,
            group_arn=scene.deployment.group_arn,
            target=Target.ITEM,
            related=related,
        )
        request = Request(
            events=scene.state,
            current_user=self._current_user(scene) if bound.uses(Dataset.CURRENT_USER) else {},
            current_item=scene.items.record(str(scene.asked.item_id)) if related else None,
            strangers=len(scene.state.strangers),
        )
        return allowed(bound, scene.items.table, request)

    def _current_user(self, scene: Scene) -> Mapping[str, Any]:
        dataset = scene.group.datasets.get("USERS")
        if dataset is None or scene.asked.user_id is None:
            return {}
        return self._records.get(scene.view, dataset).get(scene.asked.user_id)
