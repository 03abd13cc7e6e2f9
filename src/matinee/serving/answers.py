"""What a scene is answered with: the best items, or the given ones in their order. The same for calls and batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matinee.data.interactions import FloatArray
from matinee.filters.columns import Mask
from matinee.serving.ranking import Entry, best, probabilities
from matinee.serving.scene import Scene


def recommended(scene: Scene, scores: FloatArray, allowed: Mask, *, without: Sequence[Entry] = ()) -> list[Entry]:
    """The best allowed items, best first, with what their scores read; `without` entries that are shown already.

    `scores` and `allowed` are (scene.size,); `allowed` is changed.
    """
    allowed[[entry.item for entry in without]] = False
    chosen = best(scores, allowed, scene.asked.results - len(without))
    shares = probabilities(scores, scene.deployment.recipe.scores, allowed, chosen)
    return [Entry(int(item), share) for item, share in zip(chosen, shares, strict=True)]


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
