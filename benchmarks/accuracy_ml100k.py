"""Accuracy on MovieLens 100K under Amazon Personalize's own protocol; writes accuracy_ml100k.md and .json beside it.

    MATINEE_DATASETS=/path/to/datasets python benchmarks/accuracy_ml100k.py --seeds 5

Events are ratings above 3.6. 10% of users are held out; the oldest 90% of their events is the input, the newest 10%
the truth; items of the input are left out of the lists.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from matinee.data.interactions import Histories, Interactions
from matinee.data.movielens_files import MovieLens
from matinee.data.sources import resolve
from matinee.evaluation.evaluate import Result, Scorer, evaluate, newest_item
from matinee.models.base import FitOptions, Model
from matinee.models.blend import Blend, BlendConfig
from matinee.models.ease import EASE
from matinee.models.item_knn import ItemKNN, ItemKNNConfig
from matinee.models.popularity import Popularity, PopularityConfig
from matinee.models.ridge import Ridge
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.model import Transformer
from matinee.settings import Settings

THRESHOLD = 3.6
METRICS = ("ndcg_at_10", "mrr_at_25", "ndcg_at_25", "precision_at_10", "coverage")


@dataclass(frozen=True)
class Contender:
    """A row of the table: how the model is made and asked."""

    name: str
    make: Callable[[], Model]
    scorer: Callable[[Model], Scorer] | None = None


CONTENDERS = (
    Contender("popularity (Popularity-Count)", Popularity),
    Contender("popularity, last 7 days", lambda: Popularity(PopularityConfig(window_days=7))),
    Contender("SIMS, its defaults, newest item", ItemKNN, newest_item),
    Contender("SIMS, its defaults, whole history", lambda: ItemKNN(ItemKNNConfig(history_items=500))),
    Contender(
        "SIMS, popular items kept, newest item",
        lambda: ItemKNN(ItemKNNConfig(max_item_interaction_count_percentile=1.0)),
        newest_item,
    ),
    Contender(
        "SIMS, popular items kept, whole history",
        lambda: ItemKNN(ItemKNNConfig(max_item_interaction_count_percentile=1.0, history_items=500)),
    ),
    Contender("EASE, recency-weighted", EASE),
    Contender("autoregressive ridge", Ridge),
    Contender("causal transformer", Transformer),
    Contender("blend (User-Personalization-v2)", Blend),
)


def load(threshold: float) -> Interactions:
    """Ratings of MovieLens 100K above `threshold`, in the order of the file.

    Raises SystemExit when the data set itself is not at hand: the generated sample would answer another question.
    """
    source = resolve("ml-100k", Settings.from_environment())
    if source.kind == "sample":
        raise SystemExit(source.why)
    ratings = pl.concat([block.frame for block in MovieLens.find(source.path).ratings()])
    ratings = ratings.filter(pl.col("rating") > threshold)
    user_ids, user = np.unique(ratings["user"].cast(pl.Int64).to_numpy(), return_inverse=True)
    item_ids, item = np.unique(ratings["item"].cast(pl.Int64).to_numpy(), return_inverse=True)
    return Interactions.of(
        user.astype(np.int32),
        item.astype(np.int32),
        ratings["timestamp"].to_numpy().astype(np.int64),
        n_users=len(user_ids),
        n_items=len(item_ids),
    )


def measure_all(data: Interactions, seeds: range, threads: int) -> dict[str, list[Result]]:
    """Every contender on every seed; a line on the terminal for each."""
    results: dict[str, list[Result]] = {contender.name: [] for contender in CONTENDERS}
    for seed in seeds:
        for contender in CONTENDERS:
            options = FitOptions(seed=seed, threads=threads)
            result = evaluate(contender.make, data, seed=seed, options=options, scorer=contender.scorer)
            results[contender.name].append(result)
            shown = "  ".join(f"{name} {result.metrics[name]:.4f}" for name in METRICS)
            print(f"seed {seed}  {contender.name:40s} {shown}  {result.train_seconds:.1f} s", flush=True)
    return results


def latency(data: Interactions, threads: int) -> dict[str, float]:
    """Median milliseconds to score every item for one history of 100, by model, after a short training."""
    makers: dict[str, Callable[[], Model]] = {
        "transformer": lambda: Transformer(TransformerConfig(epochs=1)),
        "ease": EASE,
        "ridge": Ridge,
        "blend": lambda: Blend(BlendConfig(transformer=TransformerConfig(epochs=1))),
    }
    longest = int(np.diff(data.indptr).argmax())
    history = Histories.one(data.history(longest)[-100:], np.arange(100, dtype=np.int64))
    found = {}
    for name, make in makers.items():
        model = make().fit(data, None, FitOptions(threads=threads))
        times = []
        for _ in range(300):
            started = time.perf_counter()
            model.score(history)
            times.append(time.perf_counter() - started)
        found[name] = float(np.median(times) * 1e3)
    return found


def page(data: Interactions, results: dict[str, list[Result]], milliseconds: dict[str, float], facts: str) -> str:
    """The report in Markdown."""
    seeds = len(next(iter(results.values())))
    rows = [
        "| model | NDCG@10 | MRR@25 | NDCG@25 | precision@10 | coverage | training, s |",
        "|---|---|---|---|---|---|---|",
        "| Amazon HRNN, its recorded run on this data | .0649 | .0539 | | | .26 | |",
    ]
    for name, found in results.items():
        cells = []
        for metric in METRICS:
            values = np.array([result.metrics[metric] for result in found])
            spread = f" ± {values.std(ddof=1):.3f}" if metric in METRICS[:2] and seeds > 1 else ""
            cells.append(f"{values.mean():.4f}{spread}")
        seconds = np.mean([result.train_seconds for result in found])
        rows.append(f"| {name} | {' | '.join(cells)} | {seconds:.1f} |")
    speed = ", ".join(f"{name} {value:.2f}" for name, value in milliseconds.items())
    table = "\n".join(rows)
    return f"""# Accuracy on MovieLens 100K, Amazon Personalize's protocol

{facts}

Ratings above {THRESHOLD} are events: {len(data):,} of {data.n_users:,} users and {data.n_items:,} items. Of each
seed, 10% of users are held out; the oldest 90% of a held-out user's events is the input and the newest 10%, rounded up,
the truth. Events of the same second (42% of all) keep the order of the file. Items of the input are left out of the
lists. Mean ± standard deviation over the seeds 0 to {seeds - 1}; a seed has about 95 users, so differences between rows
are surer than the rows: the splits are the same for all.

{table}

Milliseconds (median) to score all items for one history of 100, one thread: {speed}.

{NOTES}"""


NOTES = """## How the settings were chosen
On samples of 600 and 700 users of MovieLens 1M (other years), tested on 1,499 others; in the second sample the order
within a second was shuffled, as it is in this data's file. So were chosen the learning rate, the batch size, the number
of next items that count as targets, the epochs, the grid of the blend's weights, and the λ, decay and recency of the
linear parts. Test figures of earlier versions on this data were seen: a first blend, with weights fitted on users known
to the transformer, fell below the transformer alone, and that prompted held-out users for the fit. No value was picked
by them. The blend's weights are fitted in every run on 8% of the training users.

## Predicted and found
Predicted: transformer about .148 NDCG@10 and .255 MRR@25, the blend .010 above it, EASE near .14, SIMS with its own
defaults no better than popularity, because they leave the most popular tenth of items out of the counting.
Found, over seeds 0 to 4: the transformer better than predicted; the blend *below* its transformer by .009 ± .005
(mean and standard error of the paired differences over seeds). On the first sample of MovieLens 1M fitted weights had
put it .020 above, on the second .004 (with an earlier, coarser fit; .010 at fixed weights .90, .05, .05), and on 296
training users of seed 0, held out for this question, fixed weights .80, .10, .10 were .010 above. Five seeds of this
data do not settle which is better.
Training shared its two cores with other work: times vary threefold,
and are 26 to 30 s for the transformer, and for the blend, where the machine was free.

SIMS is asked with the newest item, as a campaign asks it, and, where the row says so, with the sum over the history.
"""


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    given = parser.parse_args()
    data = load(THRESHOLD)
    results = measure_all(data, range(given.seeds), given.threads)
    cores = os.cpu_count()
    facts = (
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {platform.machine()}, {cores} cores (shared with other work), "
        f"{given.threads} thread(s), Python {platform.python_version()}, by\n"
        f"`python benchmarks/{Path(__file__).name} --seeds {given.seeds} --threads {given.threads}`."
    )
    given.out.write_text(page(data, results, latency(data, given.threads), facts), encoding="utf-8")
    figures = {
        name: [{"seed": r.seed, "train_seconds": r.train_seconds, "metrics": dict(r.metrics)} for r in found]
        for name, found in results.items()
    }
    given.out.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(f"written {given.out}")


if __name__ == "__main__":
    main()
