"""The exploration of user-personalization-v2, of which a campaign sets nothing: now and then a place shows a new item.

The service says that about one in a thousand results was added within the last 30 days (spec 4.3). Here a new item is
one of that age that nobody had met at the training; each place of a full answer shows one with the probability of
MATINEE_MANAGED_EXPLORATION. The rest of the answer is as it would be, so that it may come from the cache.
"""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

import numpy as np

from matinee.data.interactions import LongArray
from matinee.filters.columns import Mask
from matinee.serving.item_ages import ItemAges
from matinee.serving.item_table import ItemTable
from matinee.serving.scene import Scene

#: Days.
CUT_OFF = 30.0
_NEVER = 2**62


class ManagedExploration:
    """Chooses places and what they show. Safe to share between threads.

    Places that explore are as far apart as tosses of a coin would make them: the distance is drawn, and each answer
    takes its places off it, which costs nothing where an answer is given again.
    """

    def __init__(self, share: float, random: np.random.Generator) -> None:
        """`share`: the probability in [0, 1] that a place explores."""
        self._share = share
        # A stream of its own: whoever draws beside it draws the same with and without new items.
        (self._random,) = random.spawn(1)
        self._ages = ItemAges()
        self._new: WeakKeyDictionary[ItemTable, LongArray] = WeakKeyDictionary()
        self._lock = threading.Lock()
        self._left = self._distance()

    def new_items(self, scene: Scene) -> LongArray:
        """Numbers of the items that a scene's answer may show for being new."""
        if not self._share or not scene.deployment.recipe.explores_unasked or scene.deployment.tried:
            return np.zeros(0, np.int64)
        found = self._new.get(scene.items)
        if found is None:
            met = np.zeros(scene.items.unknown, np.bool_)
            met[: scene.artifact.n_items] = scene.artifact.popularity > 0
            # The table is of one artifact, and of one state of the records.
            found = np.flatnonzero(self._ages.young(scene.items, CUT_OFF, newest_event=0) & ~met)
            self._new[scene.items] = found
        return found

    def places(self, scene: Scene, promoted: int, others: int) -> int:
        """How many places of such an answer may explore: those that are not promoted, of a full one.

        A shorter answer shows all that its filter allows.
        """
        full = others > 0 and promoted + others >= scene.asked.results
        return others if full and len(self.new_items(scene)) else 0

    def passes(self, places: int) -> bool:
        """Whether none of an answer's next `places` explores; if so, they are gone."""
        with self._lock:
            if self._left <= places:
                return False
            self._left -= places
            return True

    def draw(self, places: int) -> list[int]:
        """Which of an answer's places explore, 0 for the first."""
        found = []
        with self._lock:
            while self._left <= places:
                found.append(self._left - 1)
                self._left += self._distance()
            self._left -= places
        return found

    def choose(self, new: LongArray, allowed: Mask, count: int) -> list[int]:
        """At most `count` different ones of `new` that are `allowed` (scene.size,), each as likely as the others."""
        with self._lock:
            chosen = self._random.permutation(new[allowed[new]])[:count]
        return [int(item) for item in chosen]

    def _distance(self) -> int:
        return int(self._random.geometric(self._share)) if self._share else _NEVER
