"""Next-Best-Action on generated users whose true probabilities are known, and user segments on MovieLens.

    MATINEE_DATASETS=/path/to/datasets python benchmarks/actions_segments.py

Writes actions_segments.md and .json beside it. Takes about a minute on one core.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from matinee.data.interactions import FloatArray, InteractionLog, Interactions, LongArray
from matinee.data.movielens_files import MovieLens
from matinee.data.schemas import parse_schema
from matinee.data.sources import resolve
from matinee.evaluation.actions import area_under_curve, brier, calibration_error
from matinee.evaluation.user_segments import measure_segments, split_users, top_users
from matinee.models.affinity import Affinity, AffinityConfig
from matinee.models.base import FitOptions
from matinee.recipes import catalogue
from matinee.serving.actions import propensities
from matinee.settings import Settings
from matinee.training.action_data import ActionData
from matinee.training.action_version import train_actions
from matinee.training.affinity_version import measure
from matinee.training.artifact import Artifact
from matinee.training.selection import Selection
from matinee.training.snapshot import Snapshot

DAY, NOW = 86_400, 1_700_000_000
USERS, ITEMS, ACTIONS, TASTES, SHOWN = 3000, 300, 24, 4, 10
TEST_USERS = 600
AGES = ("young", "middle", "old")


@dataclass(frozen=True)
class World:
    """Generated users and what is true of them: `truth` (users, actions) is the probability that one takes an action.

    `shown` (rows, 2) are the (user, action) pairs, `taken` (rows,) what came of them at `times`.
    """

    log: InteractionLog
    ages: list[str]
    truth: FloatArray
    shown: LongArray
    taken: NDArray[np.bool_]
    times: LongArray


def world(seed: int) -> World:
    """Users with a mix of tastes that shows in their items, and an age; both decide, with the action, what is taken."""
    random = np.random.default_rng(seed)
    tastes = random.dirichlet(np.full(TASTES, 0.4), size=USERS)
    age = random.integers(len(AGES), size=USERS)
    counts = random.integers(5, 60, size=USERS)
    user = np.repeat(np.arange(USERS), counts)
    genre = np.array([random.choice(TASTES, p=tastes[one]) for one in user])
    item = genre + TASTES * random.integers(ITEMS // TASTES, size=len(user))
    time = NOW - random.integers(40 * DAY, 90 * DAY, size=len(user))
    log = InteractionLog(
        Interactions.of(user.astype(np.int32), item.astype(np.int32), time, n_users=USERS, n_items=ITEMS),
        tuple(f"u{one:05d}" for one in range(USERS)),
        tuple(f"i{one:05d}" for one in range(ITEMS)),
        (),
    )
    liking, by_age = random.normal(0, 2.0, (TASTES, ACTIONS)), random.normal(0, 0.7, (len(AGES), ACTIONS))
    logits = random.normal(-1.2, 0.8, ACTIONS) + tastes @ liking + by_age[age]
    truth = expit(logits).astype(np.float32)
    shown = np.array([(u, a) for u in range(USERS) for a in random.permutation(ACTIONS)[:SHOWN]])
    taken = random.random(len(shown)) < truth[shown[:, 0], shown[:, 1]]
    times = NOW - random.integers(1, 30 * DAY, size=len(shown))
    return World(log, [AGES[one] for one in age], truth, shown, taken, times)


def next_best_action(seed: int) -> dict[str, float]:
    """Train on all but `TEST_USERS` users' answers, and compare what is told of these with truth and outcomes."""
    made = world(seed)
    ids = made.log.user_ids
    test = made.shown[:, 0] < TEST_USERS
    rows = {
        "USER_ID": [ids[user] for user in made.shown[~test, 0]],
        "ACTION_ID": [f"a{action:03d}" for action in made.shown[~test, 1]],
        "EVENT_TYPE": ["Taken" if taken else "Not taken" for taken in made.taken[~test]],
        "TIMESTAMP": made.times[~test],
    }
    actions = pl.DataFrame({"ACTION_ID": [f"a{action:03d}" for action in range(ACTIONS)]})
    data = ActionData(actions, pl.DataFrame(rows), None, _schema("Users", "USER_ID", "AGE"))
    users = pl.DataFrame({"USER_ID": ids, "AGE": made.ages})
    items = pl.DataFrame({"ITEM_ID": made.log.item_ids})
    created = np.zeros(ITEMS, np.int64)
    snapshot = Snapshot(made.log, items, users, created, ITEMS, Selection())
    recipe = catalogue.find("aws-next-best-action")
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        outcome = train_actions(snapshot, data, recipe, {}, Path(folder), FitOptions(seed=seed))
        seconds = time.perf_counter() - started
        told = _told(Artifact.open(Path(folder)), made)
    user, action = made.shown[test].T
    found, true, came = told[user, action], made.truth[user, action], made.taken[test]
    rate = np.bincount(made.shown[~test, 1], made.taken[~test], ACTIONS) / np.bincount(made.shown[~test, 1])
    same = rate[action].astype(np.float32)
    return {
        "auc": area_under_curve(found, came),
        "auc_of_the_truth": area_under_curve(true, came),
        "auc_of_action_rates": area_under_curve(same, came),
        "calibration_error": calibration_error(found, came),
        "calibration_error_against_truth": calibration_error(found, true),
        "brier": brier(found, came),
        "brier_of_the_truth": brier(true, came),
        "brier_of_action_rates": brier(same, came),
        "squared_error_against_truth": brier(found, true),
        "squared_error_of_action_rates": brier(same, true),
        "train_seconds": seconds,
        **{f"solution_{name}": value for name, value in outcome.metrics.items()},
    }


def _told(artifact: Artifact, made: World) -> FloatArray:
    """What a campaign tells of the test users, who have items and an age but no answers: (TEST_USERS, ACTIONS)."""
    trained = artifact.actions
    assert trained is not None
    told = np.zeros((TEST_USERS, ACTIONS), np.float32)
    for user in range(TEST_USERS):
        name = made.log.user_ids[user]
        events = artifact.action_history(name)
        assert not len(events.actions)
        histories = artifact.user_history(name).as_histories()
        told[user] = propensities(artifact, trained, histories, {"AGE": made.ages[user]}, events, NOW)
    return told


def _schema(record: str, key: str, category: str) -> Any:
    fields = [{"name": key, "type": "string"}, {"name": category, "type": "string", "categorical": True}]
    return parse_schema(json.dumps({"type": "record", "name": record, "fields": fields, "version": "1.0"}))


def segments(name: str) -> dict[str, Any]:
    """Item-Affinity and Item-Attribute-Affinity on a MovieLens release, beside the most active users."""
    source = resolve(name, Settings.from_environment())
    if source.kind == "sample":
        raise SystemExit(source.why)
    release = MovieLens.find(source.path)
    ratings = pl.concat([block.frame for block in release.ratings()])
    user_ids, user = np.unique(ratings["user"].cast(pl.Int64).to_numpy(), return_inverse=True)
    item_ids, item = np.unique(ratings["item"].cast(pl.Int64).to_numpy(), return_inverse=True)
    timestamp = ratings["timestamp"].to_numpy().astype(np.int64)
    users, items = user.astype(np.int32), item.astype(np.int32)
    data = Interactions.of(users, items, timestamp, n_users=len(user_ids), n_items=len(item_ids))
    learned, asked = split_users(data)
    number = {int(one): at for at, one in enumerate(item_ids)}
    genres = {number[int(film.item_id)]: film.genres for film in release.films()[0] if int(film.item_id) in number}
    started = time.perf_counter()
    model = Affinity(AffinityConfig(repeats=False)).fit(learned)
    seconds = time.perf_counter() - started
    queries = {"item": [np.array([one]) for one in range(data.n_items)], "pair of genres": _pairs(genres)}
    found: dict[str, Any] = {"users": data.n_users, "top": top_users(data.n_users), "train_seconds": seconds}
    for kind, asked_for in queries.items():
        ours = measure(model, asked_for, learned, asked, FitOptions())
        active = measure_segments(asked_for, _most_active(learned, asked_for), learned, asked, repeats=False)
        found[kind] = {"queries": len(ours.hits), "model": ours.metrics(), "most active": active.metrics()}
    return found


def _pairs(genres: dict[int, Any]) -> list[LongArray]:
    """The films of each pair of genres that ten films or more have."""
    names = sorted({genre for own in genres.values() for genre in own})
    pairs = [(one, other) for at, one in enumerate(names) for other in names[at + 1 :]]
    films = [[item for item, own in genres.items() if one in own and other in own] for one, other in pairs]
    return [np.array(sorted(own)) for own in films if len(own) >= 10]


def _most_active(learned: Interactions, queries: list[LongArray]) -> Iterator[FloatArray]:
    """Users by number of events; those who had the one item asked for, last, as in the model."""
    activity = np.diff(learned.indptr).astype(np.float32)
    for items in queries:
        scores = activity.copy()
        if len(items) == 1:
            scores[learned.user[learned.item == items[0]]] = 0
        yield scores


def page(actions: list[dict[str, float]], films: dict[str, dict[str, Any]], facts: str) -> str:
    """The report in Markdown."""
    mean = {name: float(np.mean([one[name] for one in actions])) for name in actions[0]}
    rows = []
    for name, found in films.items():
        for kind in ("item", "pair of genres"):
            for who in ("model", "most active"):
                m = found[kind][who]
                hits, recall, covered = m["hits_at_1_percent"], m["recall_at_1_percent"], m["coverage"]
                rows.append(f"| {name}, by {kind} | {who} | {hits:.3f} | {recall:.4f} | {covered:.4f} |")
    table = "\n".join(rows)
    return f"""# Actions and user segments

{facts}

## Next-Best-Action, true probabilities known
{USERS:,} generated users with a mix of {TASTES} tastes, which shows in 5 to 59 items each, and an age; {ACTIONS}
actions, {SHOWN} of them shown to each user. What is taken depends on taste, age and action. {TEST_USERS} users are held
out: the model knows their items and age, not one of their answers. Means over the seeds 0 to {len(actions) - 1}.

| | AUC | Brier score | mean squared error against the true probability | calibration error (10 bins) |
|---|---|---|---|---|
| Next-Best-Action | {mean["auc"]:.4f} | {mean["brier"]:.4f} | {mean["squared_error_against_truth"]:.4f} | \
{mean["calibration_error"]:.4f}, against the truth {mean["calibration_error_against_truth"]:.4f} |
| the rate of each action | {mean["auc_of_action_rates"]:.4f} | {mean["brier_of_action_rates"]:.4f} | \
{mean["squared_error_of_action_rates"]:.4f} | |
| the truth itself | {mean["auc_of_the_truth"]:.4f} | {mean["brier_of_the_truth"]:.4f} | 0 | |

Training, with its own evaluation: {mean["train_seconds"]:.1f} s. GetSolutionMetrics of the same trainings: auc
{mean["solution_auc"]:.4f}, precision {mean["solution_precision"]:.4f}, recall {mean["solution_recall"]:.4f}, coverage
{mean["solution_coverage"]:.4f}.

## User segments
Ratings of all values are events. Each user's oldest 80% is learned from; for each item, or each pair of genres that ten
films share, those are to be found who turn to it in their newest 20%. The list is the top 1% of users. The most active
users are the baseline; neither lists users who have had the item that is asked for.

| | | hits at 1% | recall at 1% | coverage of users |
|---|---|---|---|---|
{table}

The four numbers of the model (regularisation, recency, floor, activity) were chosen on MovieLens 100K by item, on this
very split, so that its first two rows flatter; MovieLens 1M and the pairs of genres had no part in it.
"""


def main() -> None:
    """Measure, and write the report."""
    actions = [next_best_action(seed) for seed in range(3)]
    for one in actions:
        print({name: round(value, 4) for name, value in one.items()}, flush=True)
    films = {name: segments(name) for name in ("ml-100k", "ml-1m")}
    for name, found in films.items():
        print(name, found, flush=True)
    facts = (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {platform.machine()}, {os.cpu_count()} cores (shared with other "
        f"work), 1 thread, Python {platform.python_version()}, by `python benchmarks/actions_segments.py`."
    )
    here = Path(__file__)
    here.with_suffix(".json").write_text(json.dumps({"actions": actions, "segments": films}, indent=1) + "\n")
    here.with_suffix(".md").write_text(page(actions, films, facts))


if __name__ == "__main__":
    main()
