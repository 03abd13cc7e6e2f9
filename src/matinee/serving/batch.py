"""Recommendations for many inputs at once, from a solution version and without a campaign. Spec 10.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from matinee.control.context import Caller
from matinee.control.records import Resource
from matinee.data.interactions import FloatArray
from matinee.errors import ApiError, InvalidInput, JobFailed
from matinee.recipes.catalogue import Call, Recipe, Scores, find
from matinee.serving import streamed_events
from matinee.serving.answers import ranked, recommended
from matinee.serving.asked import Asked, FilterAsked
from matinee.serving.batch_input import id_of, texts_of, told
from matinee.serving.deployments import Deployment
from matinee.serving.explorer import Explorer
from matinee.serving.freshness import View
from matinee.serving.scene import Scene, Stage, scores_of
from matinee.serving.user_state import user_state
from matinee.storage.metadata import Database
from matinee.storage.objects import ObjectStore
from matinee.training.artifact import Artifact

#: Inputs that the model is asked about at once, as long as their scores are not more than `_MOST_SCORES` numbers.
MOST_AT_ONCE = 256
_MOST_SCORES = 16_000_000
#: Seconds after which a job counts impressions again.
_COUNT_AGAIN = 60.0
#: What batch input calls the members that a recipe requires.
_NAMES = {"inputList": "itemList"}


@dataclass(frozen=True)
class Answer:
    """What became of one input: items, best first, and their scores where the recipe has any; or an error."""

    items: Sequence[str] = ()
    scores: Sequence[float] | None = None
    error: str | None = None


class BatchRecommender:
    """Answers inputs with a version's model, in memory that does not grow with their number.

    Events and records that were put since the training count, as they do for a campaign.
    """

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        version: Resource,
        *,
        results: int,
        filter_arn: str | None,
        config: Mapping[str, Any] | None = None,
        now: int = -1,
    ) -> None:
        """Opens the artifact of `version`; `config` is the job's own configuration, `now` its time in epoch seconds.

        Raises `JobFailed` without an artifact, `ArtifactProblem` for a damaged one.
        """
        prefix = version.private.get("artifact")
        if prefix is None:
            raise JobFailed(f"{version.arn} has no trained model. Train the solution again and use the new version.")
        self._database = database
        self._stage = Stage(objects)
        self._caller = Caller(account=version.account, region=version.region)
        self._results, self._filter_arn, self._now = results, filter_arn, now
        self._artifact = Artifact.open(objects.local(prefix))
        _ = self._artifact.model  # its files may be replaced while the job runs: users may be deleted from them
        self._deployment = Deployment(
            arn=version.arn,
            account=version.account,
            region=version.region,
            status="ACTIVE",
            group_arn=version["datasetGroupArn"],
            recipe=find(version["recipeArn"]),
            config=config or {},
            artifact=self._artifact,
            prefix=prefix,
            version=(version.seq,),
        )
        # The same inputs in the same order give the same answers.
        self._random = np.random.default_rng(version.seq)
        self._explorer = Explorer(_COUNT_AGAIN, self._random)
        self._names: dict[int, str] = {}
        self._views = 0

    @property
    def at_once(self) -> int:
        """How many inputs to give to one `answers`."""
        return max(1, min(MOST_AT_ONCE, _MOST_SCORES // max(1, self._artifact.n_items)))

    def answers(self, inputs: Sequence[Any]) -> list[Answer]:
        """What becomes of each input, a JSON value, in order. One that cannot be answered has its error."""
        found: list[Answer | None] = [None] * len(inputs)
        with ExitStack() as resources:
            # One moment for all of them: what is kept from the first need not be looked at again for the others.
            self._views += 1
            view = View(self._database, self._views, resources)
            asked: dict[int, Asked] = {}
            for at, one in enumerate(inputs):
                try:
                    asked[at] = self._asked(one)
                except ApiError as refusal:
                    found[at] = Answer(error=told(refusal))
            scenes = self._scenes(view, list(asked.values()))
            for at, scene, scores in zip(asked, scenes, scores_of(scenes) if scenes else (), strict=True):
                try:
                    found[at] = self._answer(scene, scores)
                except ApiError as refusal:
                    found[at] = Answer(error=told(refusal))
        return [answer for answer in found if answer is not None]

    def _asked(self, given: Any) -> Asked:
        """What one line asks for. Raises `InvalidInput`, for missing members in the service's recorded words."""
        if not isinstance(given, Mapping):
            raise InvalidInput("User error: a line of the input must be a JSON object.")
        recipe = self._deployment.recipe
        needed = [_NAMES.get(member, member) for member in recipe.requires]
        if any(given.get(member) in (None, "", []) for member in needed):
            raise InvalidInput(f"User error: Required fields for the provided recipe are {', '.join(needed)}")
        values = texts_of(given, "filterValues")
        if values and self._filter_arn is None:
            raise InvalidInput("User error: filterValues are given, but the job has no filterArn.")
        inputs = tuple(dict.fromkeys(_items(given))) if recipe.call is Call.RANKING else ()
        return Asked(
            arn=self._deployment.arn,
            kind="solution",
            user_id=id_of(given.get("userId"), "userId"),
            item_id=id_of(given.get("itemId"), "itemId"),
            results=self._results,
            filter=None if self._filter_arn is None else FilterAsked(self._filter_arn, values),
            promotion=None,
            context=texts_of(given, "context"),
            metadata={},
            inputs=inputs,
            now=self._now,
        )

    def _scenes(self, view: View, asked: Sequence[Asked]) -> list[Scene]:
        if not asked:
            return []
        deployment, artifact = self._deployment, self._artifact
        group, items = self._stage.catalogue(view, deployment.group_arn, artifact)
        users = {one.user_id for one in asked if one.user_id}
        active = streamed_events.streamed_to(view.connection, deployment.group_arn, users) if users else set()
        scenes = []
        for one in asked:
            user = one.user_id or ""
            streamed = streamed_events.load(view, (deployment.group_arn, user)) if user in active else ()
            history = artifact.user_history(user)
            state = user_state(history, artifact.event_types, streamed, items, artifact.trained_types)
            attributes = self._stage.attributes(view, group, artifact, one.user_id)
            scenes.append(
                Scene(view, self._caller, one, deployment, artifact, group, items, state, attributes=attributes)
            )
        return scenes

    def _answer(self, scene: Scene, scores: FloatArray) -> Answer:
        scene.check_context()
        recipe = scene.deployment.recipe
        allowed = self._stage.allowed(scene, scene.asked.filter)
        if recipe.call is Call.RANKING:
            order = ranked(scene, scores, allowed)
            return _answer(recipe, [item for item, _ in order], [entry.score for _, entry in order])
        allowed = allowed & scene.automatic()
        exploring = self._explorer.explore(scene, scores, allowed)
        entries = recommended(scene, scores, allowed, self._random, exploring=exploring)
        items = [self._names.get(entry.item) or self._name(scene, entry.item) for entry in entries]
        return _answer(recipe, items, [entry.score for entry in entries])

    def _name(self, scene: Scene, number: int) -> str:
        """The ID of an item; those of the model are kept: the same ones are recommended again and again."""
        name = scene.items.item_id(number)
        if number < scene.items.n_model:
            self._names[number] = name
        return name


def _answer(recipe: Recipe, items: Sequence[str], scores: Sequence[float | None]) -> Answer:
    """An item that the model does not know reads 0: the two lists stand side by side."""
    if recipe.scores is Scores.NONE:
        return Answer(items)
    return Answer(items, [0.0 if score is None else score for score in scores])


def _items(given: Mapping[str, Any]) -> list[str]:
    items = given["itemList"]
    if not isinstance(items, list):
        raise InvalidInput("User error: itemList must be a list of item IDs.")
    return [id_of(item, f"itemList[{at}]") or "" for at, item in enumerate(items)]
