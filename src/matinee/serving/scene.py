"""Everything that one runtime call is answered from: the deployment, its items, the user, the current item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matinee.control.context import Caller
from matinee.data.interactions import FloatArray, Histories
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
        return next(scores_of([self]))

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


def scores_of(scenes: Sequence[Scene]) -> Iterator[FloatArray]:
    """The scores of each scene (its size,), as `Scene.scores`; all are of one deployment, whose model is asked once."""
    for scene, known in zip(scenes, _asked_once(scenes), strict=True):
        scores = np.full(scene.size, -np.inf, np.float32)
        scores[: len(known)] = known
        yield scores


def _asked_once(scenes: Sequence[Scene]) -> Iterator[FloatArray]:
    """The model's own scores (n_items,) for each scene.

    For related items, popular items follow the neighbours, and stand alone where the model does not know the item.
    """
    artifact, deployment = scenes[0].artifact, scenes[0].deployment
    model = artifact.model
    if not deployment.recipe.item_recipe:
        yield from model.score(Histories.joined([scene.state.histories(artifact.n_items) for scene in scenes]))
        return
    if not isinstance(model, RelatedItemsModel):
        raise InvalidInput(f"{deployment.arn} has a model that does not relate items; train it again.")
    found = (artifact.item_index(str(scene.asked.item_id)) for scene in scenes)
    numbers = np.array([-1 if number is None else number for number in found], dtype=np.int32)
    for scores in model.score_related(numbers):
        yield with_popular_tail(scores, artifact.popularity)


class Stage:
    """Builds scenes; keeps in memory what calls share."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._erasures: dict[str, object] = {}
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
        group, items = self.catalogue(view, deployment.group_arn, artifact)
        user = asked.user_id or ""
        events = self._streamed.get(view, deployment.group_arn, user) if user else ()
        state = self._states.get(artifact, user, events, items)
        return Scene(view, caller, asked, deployment, artifact, group, items, state)

    def catalogue(self, view: View, group_arn: str, artifact: Artifact) -> tuple[Group, ItemTable]:
        """A group's datasets, and the items of an artifact together with those of its ITEMS dataset."""
        group = self._groups.get(view, group_arn)
        self._forget_the_erased(group_arn, group)
        dataset = group.datasets.get("ITEMS")
        return group, self._tables.get(artifact, None if dataset is None else self._records.get(view, dataset))

    def _forget_the_erased(self, group_arn: str, group: Group) -> None:
        """Let go of everything kept in memory when users were deleted since: it may be theirs."""
        if self._erasures.setdefault(group_arn, group.erasures) != group.erasures:
            self._erasures[group_arn] = group.erasures
            self._records, self._tables = RecordReader(self._objects), ItemTables()
            self._streamed, self._states = StreamedEvents(), UserStates()

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
