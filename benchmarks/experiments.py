"""What experiments and counterfactual estimates claim, checked where the truth is known; writes experiments.md, .json.

    python benchmarks/experiments.py [--runs N] [--out FOLDER]

A/A: equal arms, a look every day; how often is a difference found that is not there? A/B: a lift of 5%, at the
calculated number of users. Counterfactual: how often the intervals cover the true value of a policy that was not
in force.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from matinee.evaluation.counterfactual import (
    Decisions,
    Value,
    doubly_robust,
    fold_of,
    inverse_propensity,
    item_rewards,
    self_normalised,
)
from matinee.experiments.sample_size import users_needed
from matinee.experiments.sequences import FEWEST, Doubles
from matinee.experiments.simulation import daily_conversions, daily_preferences, decided, decided_interleaved

SEED, ALPHA, POWER, DAYS = 20260, 0.05, 0.8, 28
RATES = (0.02, 0.1, 0.3)
LIFT = 0.05


@dataclass(frozen=True, eq=False)
class World:
    """Contexts, items and two policies: `reward` is a Bernoulli's mean, all three (contexts, items)."""

    reward: Doubles
    logging: Doubles
    target: Doubles

    @property
    def truth(self) -> float:
        """The target policy's mean reward; contexts are equally likely."""
        return float((self.target * self.reward).sum(axis=1).mean())

    @classmethod
    def drawn(cls, random: np.random.Generator, contexts: int = 40, items: int = 20) -> World:
        """Rewards that differ by item and context; the logging policy explores, the target knows a little more."""
        logits = random.normal(-2.0, 0.8, items) + random.normal(0, 0.6, (contexts, items))
        reward = 1 / (1 + np.exp(-logits))
        logging = 0.7 * _softmax(logits + random.normal(0, 1.5, logits.shape)) + 0.3 / items
        return cls(reward, logging, _softmax(1.5 * logits + random.normal(0, 0.7, logits.shape)))


def _softmax(logits: Doubles) -> Doubles:
    raised: Doubles = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Doubles = raised / raised.sum(axis=1, keepdims=True)
    return shares


def logged(
    world: World, users: int, each: int, random: np.random.Generator
) -> tuple[Decisions, NDArray[np.int64], NDArray[np.int64]]:
    """`each` decisions for each user, of one context a user; returns them with their items and contexts (n,)."""
    group = np.repeat(np.arange(users), each)
    context = random.integers(len(world.reward), size=users)[group]
    place = random.random((len(group), 1))
    item = np.minimum((world.logging[context].cumsum(axis=1) < place).sum(axis=1), world.reward.shape[1] - 1)
    reward = (random.random(len(group)) < world.reward[context, item]).astype(np.float64)
    decisions = Decisions(reward, world.logging[context, item], world.target[context, item], group)
    return decisions, item, context


def estimates(
    world: World, decisions: Decisions, item: NDArray[np.int64], context: NDArray[np.int64]
) -> Mapping[str, Value]:
    """All three estimates; the reward model of DR knows items only, not contexts, hence is wrong."""
    model = item_rewards(item, decisions.rewards, decisions.groups, world.reward.shape[1])
    fold = fold_of(decisions.groups)
    expected = (world.target[context] * model[fold]).sum(axis=1)
    return {
        "IPS": inverse_propensity(decisions),
        "SNIPS": self_normalised(decisions),
        "DR": doubly_robust(decisions, model[fold, item], expected),
    }


def counterfactual(runs: int, users: int = 1500, each: int = 3) -> dict[str, dict[str, float]]:
    """Coverage of the 95% intervals, mean error (bias), root mean squared error and mean width of each estimator."""
    random = np.random.default_rng(SEED)
    errors: dict[str, list[float]] = {}
    covered: dict[str, list[bool]] = {}
    widths: dict[str, list[float]] = {}
    for _ in range(runs):
        world = World.drawn(random)
        for name, value in estimates(world, *logged(world, users, each, random)).items():
            errors.setdefault(name, []).append(value.mean - world.truth)
            covered.setdefault(name, []).append(value.low <= world.truth <= value.high)
            widths.setdefault(name, []).append(value.high - value.low)
    return {
        name: {
            "coverage": float(np.mean(covered[name])),
            "bias": float(np.mean(errors[name])),
            "rmse": float(np.sqrt(np.mean(np.square(errors[name])))),
            "width": float(np.mean(widths[name])),
        }
        for name in errors
    }


def same_arms(rate: float, runs: int) -> dict[str, float]:
    """False positives of equal arms under daily looks: of the sequence, and of a t-test repeated every day."""
    users = users_needed(rate, LIFT, alpha=ALPHA, power=POWER).users
    random = np.random.default_rng([SEED, int(rate * 1e6)])
    counts, means, variances = daily_conversions((rate, rate), math.ceil(users / DAYS), DAYS, runs, random)
    error = np.sqrt((variances / counts).sum(axis=-1))
    naive = np.abs(means[..., 1] - means[..., 0]) > norm.ppf(1 - ALPHA / 2) * error
    return {
        "rate": rate,
        "users": users,
        "sequence": float(decided(counts, means, variances, ALPHA, users).mean()),
        "repeated test": float(naive.any(axis=-1).mean()),
    }


def lifted_arm(rate: float, runs: int) -> dict[str, float]:
    """How often the lift is found by the calculated number of users, and how much sooner than that at the median."""
    users = users_needed(rate, LIFT, alpha=ALPHA, power=POWER).users
    random = np.random.default_rng([SEED, int(rate * 1e6), 1])
    counts, means, variances = daily_conversions((rate, rate * (1 + LIFT)), math.ceil(users / DAYS), DAYS, runs, random)
    by_day = [decided(counts[:, :end], means[:, :end], variances[:, :end], ALPHA, users) for end in range(1, DAYS + 1)]
    first = np.where(np.any(by_day, axis=0), np.argmax(by_day, axis=0) + 1, DAYS + 1)
    return {"rate": rate, "users": users, "found": float(by_day[-1].mean()), "median day": float(np.median(first))}


def few_users(runs: int) -> dict[str, float]:
    """The hard case of an asymptotic sequence: a look after every few users, from the first allowed look on."""
    random = np.random.default_rng([SEED, 2])
    looks = daily_conversions((0.05, 0.05), FEWEST // 2, 400, runs, random)
    return {"rate": 0.05, "users": 400 * FEWEST // 2, "sequence": float(decided(*looks, ALPHA, 10_000).mean())}


def interleaved(runs: int) -> dict[str, float]:
    """Interleaving: false positives without a preference, and how often a lean of 10% of the deciding is found."""
    random = np.random.default_rng([SEED, 3])
    same = daily_preferences(0.0, 0.3, 400, DAYS, runs, random)
    leaning = daily_preferences(0.1, 0.3, 400, DAYS, runs, random)
    return {
        "users": 400 * DAYS,
        "false positives": float(decided_interleaved(*same, ALPHA, 400 * DAYS).mean()),
        "found": float(decided_interleaved(*leaning, ALPHA, 400 * DAYS).mean()),
    }


def measured(runs: int, worlds: int) -> dict[str, Any]:
    """Everything that is reported."""
    begun = time.perf_counter()
    found: dict[str, Any] = {
        "runs": runs,
        "worlds": worlds,
        "alpha": ALPHA,
        "power": POWER,
        "lift": LIFT,
        "same_arms": [same_arms(rate, runs) for rate in RATES],
        "few_users": few_users(runs),
        "lifted_arm": [lifted_arm(rate, runs) for rate in RATES],
        "interleaving": interleaved(runs),
        "counterfactual": counterfactual(worlds),
    }
    return {**found, "seconds": round(time.perf_counter() - begun, 1)}


def report(found: Mapping[str, Any]) -> str:
    """The page of the measurements."""
    same = "\n".join(
        f"| {one['rate']:.0%} | {one['users']:,} | {one['sequence']:.1%} | {one['repeated test']:.1%} |"
        for one in found["same_arms"]
    )
    lifted = "\n".join(
        f"| {one['rate']:.0%} | {one['users']:,} | {one['found']:.1%} | {one['median day']:g} |"
        for one in found["lifted_arm"]
    )
    values = "\n".join(
        f"| {name} | {one['coverage']:.1%} | {one['bias']:+.5f} | {one['rmse']:.5f} | {one['width']:.5f} |"
        for name, one in found["counterfactual"].items()
    )
    few, teams = found["few_users"], found["interleaving"]
    return f"""# Experiments and counterfactual estimates where the truth is known

Measured {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, in {found["seconds"]} s, by `python
benchmarks/experiments.py`. {found["runs"]:,} simulated experiments a row, level {found["alpha"]:.0%}, a look at the
end of each of {DAYS} days; seeds are fixed. The users of a row are those that `matinee experiment size` calculates for
a lift of {found["lift"]:.0%} at a power of {found["power"]:.0%}.

## Equal arms (A/A): differences found that are not there

| conversion | users | confidence sequence | 5% test repeated daily |
|---|---|---|---|
{same}

The stated level is {found["alpha"]:.0%}. The last column is what looking every day makes of an ordinary test.
A sequence with estimated variance is exact only in the limit; the hard case, a rate of {few["rate"]:.0%} and 400 looks
from the first allowed one on ({few["users"]:,} users in all), gives {few["sequence"]:.1%}.

## One arm {found["lift"]:.0%} better (A/B): found by the calculated number of users

| conversion | users | found | median day of {DAYS} |
|---|---|---|---|
{lifted}

## Team-draft interleaving

{teams["users"]:,} users, of whom 30% prefer a side: without a preference {teams["false positives"]:.1%} false
positives; a lean of 10% among those who prefer a side is found in {teams["found"]:.1%} of runs.

## Counterfactual estimates

{found["worlds"]} generated worlds (40 contexts, 20 items), 1,500 users with 3 decisions each; 95% intervals over users.
The reward model of DR knows items only, not contexts, so it is wrong on purpose.

| estimator | intervals that cover the truth | mean error | root mean squared error | mean width |
|---|---|---|---|---|
{values}
"""


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="simulated experiments a row; worlds are a fifth of it")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the report")
    given = parser.parse_args()
    found = measured(given.runs, max(2, given.runs // 5))
    (given.out / "experiments.json").write_text(json.dumps(found, indent=2) + "\n")
    (given.out / "experiments.md").write_text(report(found))
    print(report(found))


if __name__ == "__main__":
    main()
