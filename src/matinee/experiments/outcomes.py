"""What became of each user: the outcomes that arms are compared by, from what was shown and what was done.

The user is the unit, because the user was assigned: shown lists of one user are not independent. A user's window
begins with the first list they were shown and lasts equally long for everyone; a user counts once the window has
closed, in the order of closing, so that the outcomes come as a stream in which nothing is revised later.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Longs = NDArray[np.int64]
Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Shown:
    """Lists as they were shown: `user` (lists,) is a number below `users`, `at` (lists,) epoch ms, `arm` (lists,)."""

    users: int
    user: Longs
    at: Longs
    arm: Longs

    def opened(self) -> Longs:
        """When each user's window began: (users,) epoch milliseconds."""
        found = np.full(self.users, np.iinfo(np.int64).max, np.int64)
        np.minimum.at(found, self.user, self.at)
        return found

    def arms(self) -> Longs:
        """The arm of each user's first list: (users,)."""
        order = np.lexsort((self.at, self.user))
        first = order[np.unique(self.user[order], return_index=True)[1]]
        found = np.zeros(self.users, np.int64)
        found[self.user[first]] = self.arm[first]
        return found


def matured(opened: Longs, window: int, now: int) -> Longs:
    """The numbers of the users whose window of `window` ms has closed at `now`, in the order of closing: (k,)."""
    order = np.argsort(opened, kind="stable")
    closed: Longs = order[opened[order] <= now - window]
    return closed


def inside(user: Longs, at: Longs, opened: Longs, window: int) -> Flags:
    """Which moments lie in their user's window: (n,) for `user` and `at`, both (n,)."""
    since = at - opened[user]
    return (since >= 0) & (since < window)


def user_means(user: Longs, values: Doubles, users: int) -> Doubles:
    """The mean of each user's values (n,), 0 where there are none: (users,). For click-through and preferences."""
    counts = np.bincount(user, minlength=users)
    found: Doubles = np.bincount(user, values, minlength=users) / np.maximum(counts, 1)
    return found
