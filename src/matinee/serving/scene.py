"""Everything that one runtime call is answered from: the deployment, its items, the user, the current item."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from matinee.control.context import Caller
from matinee.data.interactions import FloatArray, Histories
from matinee.errors import InvalidInput
from matinee.filters.columns import Mask
from matinee.filters.evaluation import Request, allowed
from matinee.filters.syntax import Dataset, Filter, Target
from matinee.models.base import Memory, Occasion, RelatedItemsModel
from matinee.models.semantic import Semantic
from matinee.recipes.catalogue import Call, Method
from matinee.serving.applied_filters import AppliedFilters, StoredFilter
from matinee.serving.asked import Asked, FilterAsked
from matinee.serving.capacity import Capacity
from matinee.serving.dataset_records import DatasetRecords, RecordReader
from matinee.serving.deployments import Deployment, Deployments
from matinee.serving.freshness import View
from matinee.serving.groups import Group, GroupDataset, Groups
from matinee.serving.item_table import ItemTable, ItemTables
from matinee.serving.ranking import with_popular_tail
from matinee.serving.recent_events import RecentEvents
from matinee.serving.remembered import RememberedHistories
from matinee.serving.semantics import NewTexts, semantic_scores
from matinee.serving.streamed_actions import StreamedActions, StreamedAnswer
from matinee.serving.streamed_events import StreamedEvents
from matinee.serving.trends import Trends
from matinee.serving.trial import answering
from matinee.serving.user_state import UserState, UserStates
from matinee.settings import Settings
from matinee.storage.objects import ObjectStore
from matinee.training.artifact import Artifact

_NUMBERS = frozenset({"int", "long", "float", "double"})


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
    #: What serving itself counted in the place of the model's scores: of items that trend now.
    trend: FloatArray | None = None
    #: Vectors of the items that came after the training, for the recipe that takes them in.
    later: FloatArray | None = None
    #: What the model reads of the user's record.
    attributes: FloatArray | None = None
    #: How often each item occurred in the last days, (n_items,); None where nothing was counted since the training.
    recent: FloatArray | None = None
    #: Where the user's history is kept as the model reads it; None to read it whole.
    remembered: RememberedHistories | None = None

    @property
    def alike(self) -> Artifact | None:
        """What scenes must have in common to be scored at once, by `scores_of`; None of those that are scored alone."""
        alone = self.deployment.recipe.item_recipe or self.trend is not None or bool(self.asked.context)
        return None if alone or isinstance(self.artifact.model, Semantic) else self.artifact

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

    def history(self) -> Histories:
        """What the model is asked about: a batch of one, with all that is known of the user and the occasion."""
        return replace(
            self.state.histories(self.artifact.n_items),
            now=np.array([self.asked.now], np.int64),
            context=self.artifact.inputs.context_row(self.asked.context),
            attributes=self.attributes,
            recent=None if self.recent is None else self.recent[None, :],
        )

    def check_context(self) -> None:
        """Raise `InvalidInput` when the context has a key that is no column of Interactions, or not such a value."""
        schema = self.group.schemas.get("INTERACTIONS")
        types = {field.name.upper(): field.type for field in schema.fields} if schema else {}
        for key, value in self.asked.context.items():
            if key.upper() not in types:
                raise InvalidInput(f"The context key {key} is not a column of the Interactions dataset.")
            if types[key.upper()] in _NUMBERS and not _is_number(value):
                raise InvalidInput(f"The context key {key} is a number in the Interactions dataset; {value!r} is none.")

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
        scores = np.empty(scene.size, np.float32)
        scores[: len(known)] = known
        scores[len(known) :] = -np.inf
        yield scores


def _asked_once(scenes: Sequence[Scene]) -> Iterator[FloatArray]:
    """The model's own scores (n_items,) for each scene.

    For related items, popular items follow the neighbours, and stand alone where the model does not know the item.
    """
    artifact, deployment = scenes[0].artifact, scenes[0].deployment
    model = artifact.model
    if scenes[0].trend is not None:
        yield from (scene.trend for scene in scenes if scene.trend is not None)
        return
    if isinstance(model, Semantic):
        influence = deployment.config.get("rankingInfluence") or {}
        for scene in scenes:
            asked = str(scene.asked.item_id)
            yield semantic_scores(model, artifact, scene.items, asked, influence, scene.later)
        return
    if not deployment.recipe.item_recipe:
        memories = [memory for scene in scenes if (memory := _memory(scene)) is not None]
        if len(memories) == len(scenes):
            yield from model.recall(memories, [_occasion(scene) for scene in scenes])
            return
        yield from model.score(Histories.joined([scene.history() for scene in scenes]))
        return
    if not isinstance(model, RelatedItemsModel):
        raise InvalidInput(f"{deployment.arn} has a model that does not relate items; train it again.")
    found = (artifact.item_index(str(scene.asked.item_id)) for scene in scenes)
    numbers = np.array([-1 if number is None else number for number in found], dtype=np.int32)
    for scores in model.score_related(numbers):
        yield with_popular_tail(scores, artifact.popularity)


def _memory(scene: Scene) -> Memory | None:
    """What the model kept of the history; None where it keeps nothing."""
    if scene.remembered is None:
        return None
    model, user = scene.artifact.model, scene.asked.user_id or ""
    return scene.remembered.find(model, user, scene.state, scene.attributes, scene.history)


def _occasion(scene: Scene) -> Occasion:
    return Occasion(scene.asked.now, scene.artifact.inputs.context_row(scene.asked.context), scene.recent)


class Stage:
    """Builds scenes; keeps in memory what calls share."""

    def __init__(
        self,
        objects: ObjectStore,
        trending_refresh: int = Settings.trending_refresh,
        capacity: Capacity | None = None,
        histories_mb: int = 0,
        popularity_refresh: int = Settings.popularity_refresh,
    ) -> None:
        """`trending_refresh`: seconds after which trending items are counted again, `popularity_refresh` those after
        which events are for what is popular lately. `capacity` admits each call.

        Models keep histories in `histories_mb` megabytes.
        """
        self._remembered = RememberedHistories(histories_mb * 2**20)
        self._objects, self._capacity = objects, capacity
        self._trends = Trends(objects, trending_refresh)
        self.recent_events = RecentEvents(popularity_refresh)
        self._new_texts = NewTexts()
        self._erasures: dict[str, object] = {}
        self._deployments = Deployments(objects)
        self._groups = Groups()
        self._filters = AppliedFilters(self._groups)
        self._records = RecordReader(objects)
        self._tables = ItemTables()
        self._streamed = StreamedEvents()
        self._states = UserStates()
        self._answers = StreamedActions()

    def scene(self, view: View, caller: Caller, asked: Asked, call: Call) -> Scene:
        """The scene of one call. Raises `ResourceNotFound` and `InvalidInput` as spec 7.9 has it."""
        return self._scene(view, caller, asked, self._answering(view, caller, asked, call, lists=False)[0])

    def scenes(self, view: View, caller: Caller, asked: Asked, call: Call) -> tuple[Scene, ...]:
        """As `scene`; two of them while an experiment interleaves the answers of two versions."""
        answering = self._answering(view, caller, asked, call, lists=True)
        return tuple(self._scene(view, caller, asked, deployment) for deployment in answering)

    def _answering(
        self, view: View, caller: Caller, asked: Asked, call: Call, *, lists: bool
    ) -> tuple[Deployment, ...]:
        deployment = self._deployments.resolve(view, caller, asked.arn, asked.kind, call)
        if self._capacity is not None:
            view.take_back = partial(self._capacity.take_back, deployment, self._capacity.admit(deployment))
        return answering(deployment, asked.user_id, lists=lists)

    def _scene(self, view: View, caller: Caller, asked: Asked, deployment: Deployment) -> Scene:
        asked.check_ids(deployment.recipe)
        artifact = self._deployments.artifact(deployment)
        group, items = self.catalogue(view, deployment.group_arn, artifact)
        user = asked.user_id or ""
        events = self._streamed.get(view, deployment.group_arn, user) if user else ()
        state = self._states.get(artifact, user, events, items)
        return Scene(
            view=view,
            caller=caller,
            asked=asked,
            deployment=deployment,
            artifact=artifact,
            group=group,
            items=items,
            state=state,
            trend=self._trend(view, deployment, artifact, items),
            later=self._later(deployment, artifact, items),
            attributes=self.attributes(view, group, artifact, asked.user_id),
            recent=self.recent_events.counts(view, deployment.group_arn, artifact),
            remembered=self._remembered,
        )

    def attributes(self, view: View, group: Group, artifact: Artifact, user_id: str | None) -> FloatArray | None:
        """What the model reads of a user's record, as it is now: (1, a); None where it reads none."""
        if not artifact.inputs.attributes.width:
            return None
        return artifact.inputs.attribute_row(self._user_record(view, group, user_id))

    def _trend(self, view: View, deployment: Deployment, artifact: Artifact, items: ItemTable) -> FloatArray | None:
        if deployment.recipe.method is not Method.TRENDS:
            return None
        return self._trends.scores(view, deployment, artifact, items)

    def _later(self, deployment: Deployment, artifact: Artifact, items: ItemTable) -> FloatArray | None:
        if not deployment.incremental or not isinstance(artifact.model, Semantic):
            return None
        return self._new_texts.vectors(artifact.model, artifact, items)

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
            self._answers = StreamedActions()
            self.recent_events.forget()
            self._remembered.forget()

    def allowed(self, scene: Scene, asked: FilterAsked | None) -> Mask:
        """What a filter of the request lets through (scene.size,); everything without one."""
        if asked is None:
            return np.ones(scene.size, np.bool_)
        related = scene.deployment.recipe.item_recipe
        bound = self.bound(scene.view, scene.caller, asked, scene.deployment.group_arn, Target.ITEM, related=related)
        request = Request(
            events=scene.state,
            current_user=self.current_user(scene) if bound.uses(Dataset.CURRENT_USER) else {},
            current_item=scene.items.record(str(scene.asked.item_id)) if related else None,
            strangers=len(scene.state.strangers),
        )
        return allowed(bound, scene.items.table, request)

    def bound(
        self, view: View, caller: Caller, asked: FilterAsked, group_arn: str, target: Target, *, related: bool = False
    ) -> Filter:
        """The filter that a call names, its placeholders filled; raises what `AppliedFilters.bound` raises."""
        return self._filters.bound(
            view, caller, asked.arn, asked.values, group_arn=group_arn, target=target, related=related
        )

    @property
    def deployments(self) -> Deployments:
        """The deployments that scenes are of."""
        return self._deployments

    def stored_filter(self, view: View, caller: Caller, arn: str) -> StoredFilter:
        """The filter resource with this ARN; raises `ResourceNotFound` when the caller has none."""
        return self._filters.stored(view, caller, arn)

    def answers(self, view: View, group_arn: str, user_id: str) -> tuple[StreamedAnswer, ...]:
        """What a user did about actions, as it was streamed, oldest first."""
        return self._answers.get(view, (group_arn, user_id))

    def records(self, view: View, dataset: GroupDataset) -> DatasetRecords:
        """The records of a dataset as of `view`."""
        return self._records.get(view, dataset)

    def current_user(self, scene: Scene) -> Mapping[str, Any]:
        """The record of the call's user: column to value; empty when there is none."""
        return self._user_record(scene.view, scene.group, scene.asked.user_id)

    def _user_record(self, view: View, group: Group, user_id: str | None) -> Mapping[str, Any]:
        dataset = group.datasets.get("USERS")
        if dataset is None or user_id is None:
            return {}
        return self._records.get(view, dataset).get(user_id)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
