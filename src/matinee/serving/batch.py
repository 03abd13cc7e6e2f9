"""Recommendations for many inputs at once, from a solution version and without a campaign. Spec 10.1."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np

from matinee.control.context import Caller
from matinee.control.records import Resource
from matinee.data.interactions import FloatArray, LongArray
from matinee.errors import ApiError, InvalidInput, JobFailed
from matinee.recipes.catalogue import Call, Recipe, Scores, find
from matinee.serving import streamed_events
from matinee.serving.answers import ranked, recommended
from matinee.serving.asked import Asked, FilterAsked
from matinee.serving.batch_input import id_of, texts_of, told
from matinee.serving.deployments import Deployment
from matinee.serving.explorer import Explorer
from matinee.serving.freshness import View
from matinee.serving.plain_lines import PlainLines
from matinee.serving.scene import Scene, Stage, scores_of
from matinee.serving.user_state import user_state
from matinee.storage.metadata import Database
from matinee.storage.objects import ObjectStore
from matinee.training.artifact import Artifact

#: Inputs of one look at the database.
MOST_AT_ONCE = 1024
#: Inputs that the model is asked about at once, as long as their scores are not more than `_MOST_SCORES` numbers.
_MOST_SCORED = 256
_MOST_SCORES = 4_000_000
#: Seconds after which a job counts impressions again.
_COUNT_AGAIN = 60.0
#: What batch input calls the members that a recipe requires.
_NAMES = {"inputList": "itemList"}


class Answer(NamedTuple):
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
        self._names = np.full(self._artifact.n_items, None, dtype=object)
        self._have = np.zeros(self._artifact.n_items, np.bool_)
        self._views = 0

    @property
    def at_once(self) -> int:
        """How many inputs to give to one `answers`."""
        return MOST_AT_ONCE

    def answers(self, inputs: Sequence[Any]) -> list[Answer]:
        """What becomes of each input, a JSON value, in order. One that cannot be answered has its error."""
        found: dict[int, Answer] = {}
        with ExitStack() as resources:
            # One moment for all of them: what is kept from the first need not be looked at again for the others.
            self._views += 1
            view = View(self._database, self._views, resources)
            plain = PlainLines.of(self._stage, self._explorer, self._empty(view), self._filter_arn)
            users: dict[int, str] = {}
            asked: dict[int, Asked] = {}
            for at, one in enumerate(inputs):
                try:
                    user = None if plain is None else plain.user_of(one)
                    if user is not None:
                        users[at] = user
                    else:
                        asked[at] = self._asked(one)
                except ApiError as refusal:
                    found[at] = Answer(error=told(refusal))
            active = self._active(view, {*users.values(), *(one.user_id for one in asked.values() if one.user_id)})
            if plain is not None:
                found |= self._plain(plain, {at: user for at, user in users.items() if user not in active})
            asked |= {at: self._asked(inputs[at]) for at in users if at not in found}
            for some in _blocks(sorted(asked), self._at_once()):
                found |= self._one_by_one(view, {at: asked[at] for at in some}, active)
        return [found[at] for at in range(len(inputs))]

    def _at_once(self) -> int:
        return max(1, min(_MOST_SCORED, _MOST_SCORES // max(1, self._artifact.n_items)))

    def _active(self, view: View, users: Collection[str]) -> Collection[str]:
        """Which of the users streamed events."""
        return streamed_events.streamed_to(view.connection, self._deployment.group_arn, users) if users else ()

    def _plain(self, plain: PlainLines, users: Mapping[int, str]) -> dict[int, Answer]:
        """The answers for users of whom nothing came since the training, by the number of their input."""
        found = {}
        for some in _blocks(list(users), self._at_once()):
            lists, shares, short = plain.lists([users[at] for at in some])
            items = self._named(plain.empty, lists.items)
            scores = None if shares is None else shares.tolist()
            for at, (begin, end) in zip(some, pairwise(lists.indptr.tolist()), strict=True):
                found[at] = Answer(items[begin:end], None if scores is None else scores[begin:end])
            for row in short:
                del found[some[row]]
        return found

    def _one_by_one(self, view: View, asked: Mapping[int, Asked], active: Collection[str]) -> dict[int, Answer]:
        """The answers from a scene each; the model is asked once."""
        found = {}
        scenes = [self._scene(view, one, active) for one in asked.values()]
        for at, scene, scores in zip(asked, scenes, scores_of(scenes), strict=True):
            try:
                found[at] = self._answer(scene, scores)
            except ApiError as refusal:
                found[at] = Answer(error=told(refusal))
        return found

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
        return replace(
            self._question(),
            user_id=id_of(given.get("userId"), "userId"),
            item_id=id_of(given.get("itemId"), "itemId"),
            filter=None if self._filter_arn is None else FilterAsked(self._filter_arn, values),
            context=texts_of(given, "context"),
            inputs=inputs,
        )

    def _question(self) -> Asked:
        """What all lines ask for."""
        return Asked(
            arn=self._deployment.arn,
            kind="solution",
            user_id=None,
            item_id=None,
            results=self._results,
            filter=None,
            promotion=None,
            context={},
            metadata={},
            now=self._now,
        )

    def _empty(self, view: View) -> Scene:
        """The scene of a user of whom nothing is known."""
        return self._scene(view, self._question(), ())

    def _scene(self, view: View, one: Asked, active: Collection[str]) -> Scene:
        deployment, artifact = self._deployment, self._artifact
        group, items = self._stage.catalogue(view, deployment.group_arn, artifact)
        user = one.user_id or ""
        streamed = streamed_events.load(view, (deployment.group_arn, user)) if user in active else ()
        history = artifact.user_history(user)
        state = user_state(history, artifact.event_types, streamed, items, artifact.trained_types)
        attributes = self._stage.attributes(view, group, artifact, one.user_id)
        return Scene(view, self._caller, one, deployment, artifact, group, items, state, attributes=attributes)

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
        items = self._named(scene, np.array([entry.item for entry in entries], np.int64))
        return _answer(recipe, items, [entry.score for entry in entries])

    def _named(self, scene: Scene, numbers: LongArray) -> list[str]:
        """The IDs of items; those of the model are kept: the same ones are recommended again and again."""
        known = numbers < scene.items.n_model
        for number in numbers[known][~self._have[numbers[known]]].tolist():
            self._names[number], self._have[number] = scene.items.item_id(number), True
        if known.all():
            return cast("list[str]", self._names[numbers].tolist())
        return [self._names[one] if one < scene.items.n_model else scene.items.item_id(one) for one in numbers.tolist()]


def _answer(recipe: Recipe, items: Sequence[str], scores: Sequence[float | None]) -> Answer:
    """An item that the model does not know reads 0: the two lists stand side by side."""
    if recipe.scores is Scores.NONE:
        return Answer(items)
    return Answer(items, [0.0 if score is None else score for score in scores])


def _blocks(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """`size` numbers at a time, the rest at the end."""
    return (numbers[begin : begin + size] for begin in range(0, len(numbers), size))


def _items(given: Mapping[str, Any]) -> list[str]:
    items = given["itemList"]
    if not isinstance(items, list):
        raise InvalidInput("User error: itemList must be a list of item IDs.")
    return [id_of(item, f"itemList[{at}]") or "" for at, item in enumerate(items)]
