"""The runtime API: GetRecommendations, GetPersonalizedRanking and GetActionRecommendations."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from matinee.control.context import Caller
from matinee.data.interactions import FloatArray
from matinee.errors import InvalidInput
from matinee.filters.columns import Mask
from matinee.recipes.catalogue import Call
from matinee.serving.answers import ranked, recommended
from matinee.serving.asked import ranking_asked, recommendations_asked
from matinee.serving.freshness import Freshness
from matinee.serving.metadata import metadata, wanted_columns
from matinee.serving.ranking import Entry, best, interleave, probabilities, promoted_count
from matinee.serving.scene import Scene, Stage
from matinee.settings import Settings
from matinee.storage.metadata import Database
from matinee.storage.objects import ObjectStore

Handler = Callable[[Caller, Mapping[str, Any]], dict[str, Any]]


class Runtime:
    """The three operations of the runtime API. Handlers are synchronous and may run in several threads at once."""

    def __init__(
        self, database: Database, objects: ObjectStore, settings: Settings, random: np.random.Generator | None = None
    ) -> None:
        """`random` places promotions; tests give a seeded one."""
        self.settings = settings
        self._freshness = Freshness(database)
        self._stage = Stage(objects)
        self._random = np.random.default_rng() if random is None else random

    def operations(self) -> Mapping[str, Handler]:
        """Operation name to handler."""
        return {
            "GetRecommendations": self.get_recommendations,
            "GetPersonalizedRanking": self.get_personalized_ranking,
            "GetActionRecommendations": self.get_action_recommendations,
        }

    def close(self) -> None:
        """Give back what it holds of the database."""
        self._freshness.close()

    def get_recommendations(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """The best items for a user, or like an item, best first."""
        asked = recommendations_asked(params)
        with self._freshness.view() as view:
            scene = self._stage.scene(view, caller, asked, Call.RECOMMENDATIONS)
            scene.check_context()
            columns = _metadata_columns(scene)
            scores = scene.scores()
            automatic = scene.automatic()
            allowed = automatic & self._stage.allowed(scene, asked.filter)
            promoted = self._promoted(scene, scores, automatic)
        others = recommended(scene, scores, allowed, without=promoted)
        entries = interleave(promoted, others, self._random) if promoted else others
        return {"itemList": _elements(scene, entries, columns), "recommendationId": _recommendation_id()}

    def get_personalized_ranking(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """The given items in the order of their worth to a user; what the model does not know stands last."""
        asked = ranking_asked(params)
        with self._freshness.view() as view:
            scene = self._stage.scene(view, caller, asked, Call.RANKING)
            scene.check_context()
            columns = _metadata_columns(scene)
            scores = scene.scores()
            allowed = self._stage.allowed(scene, asked.filter)
        ranking = [_element(scene, item, entry, columns) for item, entry in ranked(scene, scores, allowed)]
        return {"personalizedRanking": ranking, "recommendationId": _recommendation_id()}

    def get_action_recommendations(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        """Refuses campaigns of other recipe types; no recipe of actions can be trained by this version."""
        if not params.get("campaignArn"):
            raise InvalidInput("campaignArn must not be empty.")
        asked = recommendations_asked({"campaignArn": params["campaignArn"], "userId": params.get("userId")})
        with self._freshness.view() as view:
            scene = self._stage.scene(view, caller, asked, Call.ACTIONS)
        raise InvalidInput(f"{asked.arn}: the recipe {scene.deployment.recipe.name} has no model that can be served.")

    def _promoted(self, scene: Scene, scores: FloatArray, automatic: Mask) -> list[Entry]:
        """The promoted entries, best first: what the promotion's own filter lets through."""
        promotion = scene.asked.promotion
        if promotion is None:
            return []
        allowed = automatic & self._stage.allowed(scene, promotion.filter)
        count = promoted_count(scene.asked.results, promotion.percent)
        chosen = best(scores, allowed, count)
        shares = probabilities(scores, scene.deployment.recipe.scores, automatic, chosen)
        entries = [Entry(int(item), share, promotion.name) for item, share in zip(chosen, shares, strict=True)]
        # Items that the model has not learned yet can be promoted: the newest records first.
        unscored = np.flatnonzero(allowed & np.isneginf(scores))[::-1][: count - len(entries)]
        return entries + [Entry(int(item), None, promotion.name) for item in unscored]


def _metadata_columns(scene: Scene) -> tuple[str, ...]:
    """The metadata columns that the call asks for, checked."""
    return wanted_columns(
        scene.asked.metadata,
        scene.group.schemas.get("ITEMS"),
        enabled=scene.deployment.metadata_enabled,
        results=scene.asked.results,
    )


def _elements(scene: Scene, entries: Sequence[Entry], columns: Sequence[str]) -> list[dict[str, Any]]:
    return [_element(scene, scene.items.item_id(entry.item), entry, columns) for entry in entries]


def _element(scene: Scene, item_id: str, entry: Entry, columns: Sequence[str]) -> dict[str, Any]:
    """One element of an answer in the wire's names; what there is nothing to say of is left out."""
    element: dict[str, Any] = {"itemId": item_id}
    if entry.score is not None:
        element["score"] = entry.score
    if entry.promotion is not None:
        element["promotionName"] = entry.promotion
        if scene.deployment.recipe.reasons:
            element["reason"] = ["Promoted item"]
    if columns:
        element["metadata"] = metadata(scene.items, item_id, columns)
    return element


def _recommendation_id() -> str:
    return f"RID-{uuid.uuid4()}"
