"""Team-draft interleaving: two rankings in one list, and the clicks that tell which one people prefer.

Radlinski, Kurup and Joachims, "How does clickthrough data reflect retrieval quality?" (CIKM 2008).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Item = TypeVar("Item", bound=Hashable)


def team_draft(
    first: Sequence[Item], second: Sequence[Item], length: int, random: np.random.Generator
) -> tuple[list[Item], list[int]]:
    """A list of `length` distinct items at most and, for each, the team (0 or 1) that put it there.

    In each round a coin says which team picks first; each picks its best item that is not in the list yet. A ranking
    that has run out picks no more, and the other goes on.
    """
    rankings = (first, second)
    chosen: dict[Item, int] = {}
    places = [0, 0]
    while len(chosen) < length:
        beginner = int(random.integers(2))
        before = len(chosen)
        for team in (beginner, 1 - beginner):
            ranking = rankings[team]
            while places[team] < len(ranking) and ranking[places[team]] in chosen:
                places[team] += 1
            if places[team] < len(ranking) and len(chosen) < length:
                chosen[ranking[places[team]]] = team
        if len(chosen) == before:
            break
    return list(chosen), list(chosen.values())


def preferences(clicks: ArrayLike) -> NDArray[np.float64]:
    """Which team each list's clicks prefer: 1 the second, -1 the first, 0 neither.

    `clicks` is (lists, 2), the clicked items of each team; the answer is (lists,). Its mean is the quantity that the
    paper tests; zero when nobody prefers either.
    """
    counted = np.asarray(clicks, np.int64)
    found: NDArray[np.float64] = np.sign(counted[:, 1] - counted[:, 0]).astype(np.float64)
    return found
