"""Exploration that learns: which places of an answer go to young items, by draws of how well each may do.

An item's multiplier m is how often it is clicked, relative to what its places are clicked on average. Clicks are
Poisson with mean m · e, e the clicks expected at the places where it was shown; with a Gamma(a, a) prior m is
Gamma(a + clicks, a + e). Source: D. Agarwal, B.-C. Chen, P. Elango, "Explore/Exploit Schemes for Web Content
Optimization", ICDM 2009. Drawing from the posterior is Thompson sampling: O. Chapelle, L. Li, "An Empirical Evaluation
of Thompson Sampling", NIPS 2011.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import FloatArray, LongArray
from matinee.recipes.catalogue import Place, Recipe
from matinee.recipes.parameters import defaults, parse_parameters

DoubleArray = NDArray[np.float64]

#: The prior's strength: as many expected clicks as this say as much as the belief that an item is like all others.
PRIOR = 1.0
#: Draws of every candidate's multiplier for one answer. A place takes one of them at random, so that what is shown is
#: one draw of the posterior and its probability, given the draws, is a count among them.
DRAWS = 32
#: Candidates of one answer; of more, those that may do best (mean plus deviation), ties at random.
MOST_CANDIDATES = 256
#: The model's relevance of a candidate counts within e^±this of the average candidate's.
RELEVANCE_SPAN = 1.0


@dataclass(frozen=True)
class Exploration:
    """`weight` in [0, 1]: how likely a place is to explore; items at most `cut_off` days old are explored."""

    weight: float
    cut_off: float


@dataclass(frozen=True)
class Shown:
    """One place of an answer: the item, its probability given the places above it, and whether exploration chose it."""

    item: int
    propensity: float
    explored: bool


@dataclass(frozen=True, eq=False)
class Explored:
    """Candidates `items` (e,) and, in `promise` (DRAWS, e), draws of how well each would do; 1: as well as any item."""

    items: LongArray
    promise: DoubleArray
    weight: float


def exploration_of(recipe: Recipe, config: Mapping[str, Any]) -> Exploration | None:
    """What a campaign's or recommender's `itemExplorationConfig` asks for; None where nothing is explored.

    Raises `InvalidInput` for values that the recipe's table does not allow.
    """
    if not recipe.explores:
        return None
    values = defaults(recipe) | parse_parameters(recipe, Place.EXPLORATION, config.get("itemExplorationConfig") or {})
    weight = float(values["explorationWeight"])
    return Exploration(weight, float(values["explorationItemAgeCutOff"])) if weight > 0 else None


def mean_multiplier(clicks: DoubleArray, expected: DoubleArray) -> DoubleArray:
    """The posterior mean of each item's multiplier; 1 for an item that was never shown. All shapes (n,)."""
    mean: DoubleArray = (PRIOR + clicks) / (PRIOR + expected)
    return mean


def explored(
    items: LongArray,
    relevance: FloatArray,
    clicks: DoubleArray,
    expected: DoubleArray,
    weight: float,
    random: np.random.Generator,
) -> Explored:
    """Draw what candidates promise: multiplier times the model's relevance beside the average candidate's.

    `items`, `relevance` (the model's scores, log probabilities; -inf for what it does not know, which counts as
    average), `clicks` and `expected` are (e,).
    """
    known = np.isfinite(relevance)
    beside = np.zeros(len(items))
    if known.any():
        scores = relevance[known].astype(np.float64)
        highest = scores.max()
        beside[known] = scores - highest - np.log(np.exp(scores - highest).mean())
    likely = np.exp(np.clip(beside, -RELEVANCE_SPAN, RELEVANCE_SPAN))
    if len(items) > MOST_CANDIDATES:
        shape = PRIOR + clicks
        bound = likely * (shape + np.sqrt(shape)) / (PRIOR + expected)
        keep = np.sort(np.lexsort((random.random(len(items)), -bound))[:MOST_CANDIDATES])
        items, likely, clicks, expected = items[keep], likely[keep], clicks[keep], expected[keep]
    multipliers = random.standard_gamma(PRIOR + clicks, size=(DRAWS, len(items))) / (PRIOR + expected)
    return Explored(items, multipliers * likely, weight)


def fill(order: LongArray, candidates: Explored, places: int, random: np.random.Generator) -> list[Shown]:
    """At most `places` different items: `order` (n,), best first, with candidates where exploration chooses them.

    Each place explores with probability `weight`; it then takes one of the draws and shows the candidate that promises
    most in it, if that is more than 1, what the next item of `order` promises. Where `order` has ended, candidates
    alone follow.
    """
    promise = candidates.promise.copy()
    column = {int(item): at for at, item in enumerate(candidates.items)}
    rest, taken, shown = iter(order.tolist()), set[int](), list[Shown]()
    following = next(rest, None)
    while len(shown) < places:
        while following is not None and following in taken:
            following = next(rest, None)
        left = len(column) > 0 and bool(np.isfinite(promise[0]).any())
        if following is None and not left:
            break
        weight = 1.0 if following is None else candidates.weight
        leading = promise.argmax(axis=1) if left else np.zeros(DRAWS, np.int64)
        bar = -np.inf if following is None else 1.0
        wins = promise.max(axis=1) > bar if left else np.zeros(DRAWS, np.bool_)
        draw = int(random.integers(DRAWS))
        explores = bool(random.random() < weight) and bool(wins[draw])
        item = int(candidates.items[leading[draw]]) if explores or following is None else following
        propensity = weight * float(np.mean(wins & (leading == column.get(item, -1))))
        if item == following:
            propensity += 1 - weight + weight * float(np.mean(~wins))
        shown.append(Shown(item, propensity, explores))
        taken.add(item)
        if item in column:
            promise[:, column[item]] = -np.inf
    return shown
