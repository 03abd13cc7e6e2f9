"""Exploration in the request path: which items of a scene are candidates, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matinee.data.interactions import FloatArray
from matinee.filters.columns import Mask
from matinee.serving.exploration import DoubleArray, Explored, exploration_of, explored, mean_multiplier
from matinee.serving.impressions import Feedback, Impressions
from matinee.serving.item_ages import ItemAges
from matinee.serving.item_table import ItemTable
from matinee.serving.scene import Scene


@dataclass(frozen=True, eq=False)
class Exploring:
    """What exploration brings to one answer: the candidates' draws, and `scores` (size,) corrected by their clicks."""

    candidates: Explored
    scores: FloatArray


@dataclass(frozen=True, eq=False)
class _Standing:
    """Clicks and expected clicks of each item of a table, (items.unknown,), by this feedback."""

    items: ItemTable
    feedback: Feedback
    clicks: DoubleArray
    expected: DoubleArray


class Explorer:
    """Finds the candidates of a scene; keeps in memory what calls share."""

    def __init__(self, refresh: float, random: np.random.Generator) -> None:
        """`refresh`: seconds after which impressions are counted again."""
        self._impressions, self._ages, self._random = Impressions(refresh), ItemAges(), random
        self._standings: dict[str, _Standing] = {}
        self._erasures: dict[str, object] = {}

    def explore(self, scene: Scene, scores: FloatArray, allowed: Mask) -> Exploring | None:
        """Draws for the allowed young items, known to the model or not; None when the deployment does not explore.

        `scores` and `allowed` are (scene.size,). Without candidates the answer is that of the model.
        """
        exploration = exploration_of(scene.deployment.recipe, scene.deployment.config)
        if exploration is None:
            return None
        standing = self._standing(scene)
        young = self._ages.young(scene.items, exploration.cut_off, standing.feedback.newest_event)
        items = np.flatnonzero(allowed[: scene.items.unknown] & young)
        clicks, expected = standing.clicks[items], standing.expected[items]
        corrected = scores.copy()
        corrected[items] += np.log(mean_multiplier(clicks, expected)).astype(np.float32)
        drawn = explored(items, scores[items], clicks, expected, exploration.weight, self._random)
        return Exploring(drawn, corrected)

    def any_candidate(self, scene: Scene) -> bool:
        """Whether the deployment explores at all and there are items that are young enough."""
        exploration = exploration_of(scene.deployment.recipe, scene.deployment.config)
        if exploration is None:
            return False
        newest_event = self._standing(scene).feedback.newest_event
        return bool(self._ages.young(scene.items, exploration.cut_off, newest_event).any())

    def _standing(self, scene: Scene) -> _Standing:
        group_arn, items = scene.deployment.group_arn, scene.items
        if self._erasures.setdefault(group_arn, scene.group.erasures) != scene.group.erasures:
            # The lists that are remembered may be deleted users'.
            self._erasures[group_arn] = scene.group.erasures
            self._impressions = self._impressions.afresh()
        feedback = self._impressions.feedback(scene.view, group_arn)
        kept = self._standings.get(scene.deployment.arn)
        if kept is None or kept.items is not items or kept.feedback is not feedback:
            kept = _standing(items, feedback)
            self._standings[scene.deployment.arn] = kept
        return kept


def _standing(items: ItemTable, feedback: Feedback) -> _Standing:
    clicks, expected = np.zeros(items.unknown), np.zeros(items.unknown)
    numbers = np.array([items.number(item) for item in feedback.row], dtype=np.int64)
    known = numbers < items.unknown
    clicks[numbers[known]] = feedback.clicks[known]
    expected[numbers[known]] = feedback.expected[known]
    return _Standing(items, feedback, clicks, expected)
