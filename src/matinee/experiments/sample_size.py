"""How many users an experiment needs before its confidence sequence finds a given lift."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.stats import norm

from matinee.experiments.sequences import FEWEST, radius

_MOST = 1e13


@dataclass(frozen=True)
class Plan:
    """What was asked and what it takes: `users` of both arms together, `by_arm` of each."""

    rate: float
    lift: float
    alpha: float
    power: float
    users: int
    by_arm: tuple[int, int]


def users_needed(rate: float, lift: float, *, alpha: float = 0.05, power: float = 0.8, share: float = 0.5) -> Plan:
    """The users after which a relative `lift` of a conversion `rate` is found with probability `power` or more.

    Found: the (1 - alpha) confidence sequence, tuned to that number of users, leaves zero out. The number is where the
    last look alone has that power; earlier looks can only add to it. `share` is the part of the users in the new arm.
    Raises `ValueError` when a number is out of its range.
    """
    raised = rate * (1 + lift)
    for name, value in (("rate", rate), ("rate with the lift", raised), ("alpha", alpha), ("share", share)):
        if not 0 < value < 1:
            raise ValueError(f"the {name} must lie between 0 and 1, but is {value}")
    if lift == 0 or not 0.5 <= power < 1:
        raise ValueError("the lift must not be 0, and the power must lie between 0.5 and 1")
    effect = abs(raised - rate)
    deviation = math.sqrt(rate * (1 - rate) / (1 - share) + raised * (1 - raised) / share)
    wanted = float(norm.ppf(power))

    def excess(logarithm: float) -> float:
        """How far the last look's standardised margin lies above what the power wants, at exp(logarithm) users."""
        n = math.exp(logarithm)
        margin = effect - float(radius(n, deviation, alpha, n))
        return margin * math.sqrt(n) / deviation - wanted

    fewest = FEWEST / min(share, 1 - share)
    if excess(math.log(fewest)) >= 0:
        users = math.ceil(fewest)
    elif excess(math.log(_MOST)) < 0:
        raise ValueError(f"a lift of {lift:g} of a rate of {rate:g} takes more than {_MOST:.0e} users")
    else:
        users = math.ceil(math.exp(brentq(excess, math.log(fewest), math.log(_MOST))))
    return Plan(rate, lift, alpha, power, users, (math.ceil(users * (1 - share)), math.ceil(users * share)))
