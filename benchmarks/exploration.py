"""Exploration in a simulated shop: posterior sampling beside epsilon-greedy and none, on clicks whose truth is known.

    python benchmarks/exploration.py

Writes exploration.md and .json beside it. Takes about four minutes on one core.

Old items have true relevances that the model knows up to noise. New items arrive unknown to the model; a few are better
than most old ones, most are worse. Users see a list; each place is looked at less than the one above it, and an item
that is looked at is clicked with its true chance. The learning policy is serving's own code: `Counter` counts what was
shown and clicked, `explored` and `fill` choose places.
"""

from __future__ import annotations

import json
import platform
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matinee.serving.exploration import explored, fill, mean_multiplier
from matinee.serving.impressions import Counter

Doubles = NDArray[np.float64]
POLICIES = ("none", "epsilon-greedy", "posterior sampling")
#: Requests between two looks at what was clicked: serving, too, counts with a delay.
REFRESH = 50


@dataclass(frozen=True)
class Setting:
    """Sizes of one simulation. `good` of the `new` items are as good as the best old ones."""

    old: int = 400
    new: int = 100
    good: int = 8
    groups: int = 6
    places: int = 10
    requests: int = 30_000
    weight: float = 0.3


@dataclass(frozen=True)
class Outcome:
    """Of one run: clicks in all and in the last fifth, regret against the best list in every answer, how many good new
    items were discovered (clicked at least five times), impressions spent on bad new items."""

    clicks: int
    late_clicks: int
    regret: float
    discovered: int
    wasted: int


@dataclass(frozen=True)
class World:
    """`truth` (groups, items) is the chance of a click where an item is looked at; `model` (groups, old) its logarithm
    with noise; items from `old` on are new."""

    truth: Doubles
    model: Doubles
    looked: Doubles


def world(setting: Setting, random: np.random.Generator) -> World:
    """Draw true chances: old items by group of users; of the new ones a few are good."""
    items = setting.old + setting.new
    truth = np.exp(random.normal(-3.5, 0.8, (setting.groups, items)))
    truth[:, setting.old :] *= 0.4
    best = np.sort(truth[:, : setting.old], axis=1)[:, -setting.places].mean()
    good = setting.old + np.arange(setting.good)
    truth[:, good] = best * random.uniform(0.9, 1.8, (setting.groups, setting.good))
    truth = np.minimum(truth, 0.9)
    model = np.log(truth[:, : setting.old]) + random.normal(0, 0.3, (setting.groups, setting.old))
    return World(truth, model, 1 / np.log2(np.arange(setting.places) + 2))


def simulate(policy: str, setting: Setting, seed: int) -> Outcome:
    """One run; the world depends on `seed` alone, so that policies meet the same one."""
    made = world(setting, np.random.default_rng(seed))
    random = np.random.default_rng([seed, POLICIES.index(policy)])
    items = setting.old + setting.new
    new = np.arange(setting.old, items)
    orders = np.argsort(-made.model, axis=1)[:, : setting.places]
    best = np.sort(made.truth, axis=1)[:, ::-1][:, : setting.places] @ made.looked
    counter = Counter()
    clicks, expected = np.zeros(items), np.zeros(items)
    times_clicked, times_shown, late, regret = np.zeros(items, int), np.zeros(items, int), 0, 0.0
    for request in range(setting.requests):
        if request % REFRESH == 0:
            clicks, expected = _known(counter, items)
        group = int(random.integers(setting.groups))
        shown = _list(policy, orders[group], new, clicks, expected, setting, random)
        chance = made.truth[group, shown] * made.looked
        clicked = np.flatnonzero(random.random(len(shown)) < chance)
        regret += float(best[group] - chance.sum())
        times_shown[shown] += 1
        times_clicked[shown[clicked]] += 1
        late += len(clicked) * (request >= 0.8 * setting.requests)
        names = [str(item) for item in shown]
        for at in clicked if len(clicked) else [None]:
            counter.add(request, names, None if at is None else names[at])
    good = setting.old + np.arange(setting.good)
    discovered = int((times_clicked[good] >= 5).sum())
    wasted = int(times_shown[setting.old + setting.good :].sum())
    return Outcome(int(times_clicked.sum()), int(late), regret, discovered, wasted)


def _known(counter: Counter, items: int) -> tuple[Doubles, Doubles]:
    feedback, clicks, expected = counter.feedback(0), np.zeros(items), np.zeros(items)
    numbers = np.array([int(item) for item in feedback.row], np.int64)
    clicks[numbers], expected[numbers] = feedback.clicks, feedback.expected
    return clicks, expected


def _list(
    policy: str,
    order: NDArray[np.int64],
    new: NDArray[np.int64],
    clicks: Doubles,
    expected: Doubles,
    setting: Setting,
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """What a policy shows. Epsilon-greedy, as the other, gives a place to a new item with the chance `weight`: half of
    the time to any, else to the one with the best click rate."""
    if policy == "none":
        return order
    if policy == "posterior sampling":
        relevance = np.full(len(new), -np.inf, np.float32)
        candidates = explored(new, relevance, clicks[new], expected[new], setting.weight, random)
        return np.array([one.item for one in fill(order, candidates, setting.places, random)])
    shown: list[int] = []
    rest = iter(order.tolist())
    rates = mean_multiplier(clicks[new], expected[new])
    for _ in range(setting.places):
        left = np.flatnonzero(~np.isin(new, shown))
        if len(left) and random.random() < setting.weight:
            any_new = random.random() < 0.5
            chosen = int(new[random.choice(left)]) if any_new else int(new[left[rates[left].argmax()]])
        else:
            chosen = next(rest)
        shown.append(chosen)
    return np.array(shown)


def compare(setting: Setting, seeds: int) -> dict[str, dict[str, list[float]]]:
    """Mean and standard error of every figure of each policy over worlds."""
    table: dict[str, dict[str, list[float]]] = {}
    for policy in POLICIES:
        runs = [asdict(simulate(policy, setting, seed)) for seed in range(seeds)]
        table[policy] = {
            name: [
                float(np.mean([run[name] for run in runs])),
                float(np.std([run[name] for run in runs], ddof=1) / np.sqrt(seeds)),
            ]
            for name in runs[0]
        }
    return table


_HEADINGS = ("clicks", "late_clicks", "regret", "discovered", "wasted")


def page(setting: Setting, seeds: int, table: dict[str, dict[str, list[float]]], seconds: float) -> str:
    """The results as Markdown."""
    lines = [
        "# Exploration in a simulated shop",
        "",
        f"`python benchmarks/exploration.py`, {datetime.now(UTC).date()}, {platform.machine()}, {seconds:.0f} s. "
        f"{setting.old} items that the model knows up to noise, {setting.new} new ones of which {setting.good} are "
        f"good; {setting.requests:,} answers of {setting.places} items, explorationWeight {setting.weight:g}, "
        f"what was clicked is looked at every {REFRESH} answers. Mean ± standard error over {seeds} worlds.",
        "",
        "| policy | clicks | in the last fifth | regret | good new items discovered | impressions of bad new items |",
        "|---|---|---|---|---|---|",
    ]
    for policy, found in table.items():
        cells = [f"{found[name][0]:,.1f} ± {found[name][1]:,.1f}" for name in _HEADINGS]
        lines.append(f"| {policy} | {' | '.join(cells)} |")
    lines += [
        "",
        "Regret: expected clicks short of showing the truly best items every time. Discovered: clicked at least five",
        "times. Epsilon-greedy gives the same share of places to new items, half of them at random and half to the",
        "best click rate so far. The policy under test is serving's own code (`exploration.py`, `impressions.py`).",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Simulate and write both files."""
    setting, seeds, started = Setting(), 5, time.monotonic()
    table = compare(setting, seeds)
    here = Path(__file__).with_suffix("")
    result = {"setting": asdict(setting), "worlds": seeds, "policies": table}
    here.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    text = page(setting, seeds, table, time.monotonic() - started)
    here.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
