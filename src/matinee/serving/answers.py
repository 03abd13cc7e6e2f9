"""What a scene is answered with: the best items, or the given ones in their order. The same for calls and batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matinee.data.interactions import FloatArray, LongArray
from matinee.filters.columns import Mask
from matinee.recipes.catalogue import Scores
from matinee.serving.diversity import diversified, likeness, pool
from matinee.serving.exploration import Shown, fill
from matinee.serving.explorer import Exploring
from matinee.serving.ranking import Entry, best, probabilities
from matinee.serving.scene import Scene

#: Words of `reason` (spec 7.6).
PROMOTED, EXPLORATION, POPULAR = "Promoted item", "Exploration", "Popular item"


def recommended(
    scene: Scene,
    scores: FloatArray,
    allowed: Mask,
    random: np.random.Generator,
    *,
    exploring: Exploring | None = None,
    without: Sequence[Entry] = (),
) -> list[Entry]:
    """The best allowed items, best first, with what their scores read; `without` entries that are shown already.

    `scores` and `allowed` are (scene.size,); `allowed` is changed. Where the deployment explores, `random` gives places
    to its candidates; where it asks for diversity, items unlike those above come earlier.
    """
    if without:
        allowed[[entry.item for entry in without]] = False
    places = scene.asked.results - len(without)
    worth = scores if exploring is None else exploring.scores
    order = _order(scene, worth, allowed, places)
    kind = scene.deployment.recipe.scores
    if exploring is None:
        shares = probabilities(scores, kind, allowed, order)
        entries = list(map(Entry, order.tolist(), shares))
    else:
        shown = fill(order, exploring.candidates, places, random)
        shares = probabilities(scores, kind, allowed, np.array([one.item for one in shown], int))
        entries = [_explored(one, share, kind) for one, share in zip(shown, shares, strict=True)]
    return entries + _placeholders(scene, scores, allowed, places - len(entries))


def _order(scene: Scene, worth: FloatArray, allowed: Mask, places: int) -> LongArray:
    """The best allowed items (at most `places`), diversified where that is asked for."""
    strength = scene.deployment.diversity
    if not strength or scene.deployment.recipe.item_recipe:
        return best(worth, allowed, places)
    order = best(worth, allowed, pool(places))
    return diversified(order, worth[order], likeness(scene.items, order.tolist()), strength, places)


def _explored(shown: Shown, share: float | None, kind: Scores) -> Entry:
    """An explored item that the model does not know yet reads 0 where every item of the catalogue has a share."""
    if share is None and kind is Scores.SOFTMAX_CATALOGUE:
        share = 0.0
    reason = EXPLORATION if shown.explored else None
    return Entry(shown.item, share, reason=reason, propensity=shown.propensity)


def _placeholders(scene: Scene, scores: FloatArray, allowed: Mask, places: int) -> list[Entry]:
    """Where a filter leaves too few items that have a score: others that it lets through, without one (spec 4.3).

    Most popular first, then the newest records. Only for the recipe that gives reasons.
    """
    if places <= 0 or scene.asked.filter is None or not scene.deployment.recipe.reasons:
        return []
    unscored = np.flatnonzero(allowed & np.isneginf(scores))[::-1]
    popularity = np.zeros(scene.size, np.int64)
    popularity[: scene.artifact.n_items] = scene.artifact.popularity
    chosen = unscored[np.argsort(-popularity[unscored], kind="stable")[:places]]
    return [Entry(int(item), reason=POPULAR) for item in chosen]


def ranked(scene: Scene, scores: FloatArray, allowed: Mask) -> list[tuple[str, Entry]]:
    """The allowed ones of the given items, as (ID, entry), by their worth; what the model does not know stands last.

    `scores` and `allowed` are (scene.size,).
    """
    given = {item: scene.number(item) for item in scene.asked.inputs}
    kept = {item: number for item, number in given.items() if allowed[number]}
    order = sorted(kept, key=lambda item: -scores[kept[item]])
    among = np.zeros(scene.size, np.bool_)
    among[list(kept.values())] = True
    numbers = np.array([kept[item] for item in order], dtype=np.int64)
    shares = probabilities(scores, scene.deployment.recipe.scores, among, numbers)
    return [(item, Entry(kept[item], share)) for item, share in zip(order, shares, strict=True)]
