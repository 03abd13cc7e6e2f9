"""Related items on MovieLens, beside the item-kNN models of `implicit`; writes related_items.md and .json beside it.

    pip install implicit
    MATINEE_DATASETS=/path/to/datasets python benchmarks/related_items.py --seeds 5

10% of users, drawn by the seed, are held out of training. Of each, the newest 10% of events are found one by one: the
event before is the item asked about. Every model lists 10 of all items but that one, whatever the user has seen.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from matinee.data.interactions import FloatArray, Interactions
from matinee.evaluation.datasets import DataSet, load_dataset
from matinee.models.base import FitOptions, RelatedItemsModel
from matinee.models.histories import user_item_matrix
from matinee.models.item_knn import ItemKNN, ItemKNNConfig
from matinee.models.similar_items import SimilarItems
from matinee.settings import Settings

LISTED = 10
_CHOSEN = """\
How settings were chosen: the form of our scores (nearness, what the item percentiles of SIMS mean) on seed 0, which is
among the seeds shown; `stretch`, `near` and the prior on seeds from 100 on, other draws of the same users.
`implicit` has its own defaults and 200 neighbours, untuned. Differences smaller than the deviations are no differences:
SIMS with its defaults and the peers are level on ML-100K.
"""
PEERS = ("CosineRecommender", "BM25Recommender", "TFIDFRecommender")
PEER_NEIGHBOURS = 200
Rows = NDArray[np.int64]
Ranker = Callable[[Rows], Rows]


@dataclass(frozen=True)
class Questions:
    """Training events, the items asked about, the items to be found and whose they are, each (questions,)."""

    train: Interactions
    asked: Rows
    wanted: Rows
    user: Rows


def questions(data: Interactions, seed: int) -> Questions:
    """Pairs of consecutive events among the newest 10% of held-out users' events."""
    random = np.random.default_rng(seed)
    held = random.permutation(data.n_users)[: -(-data.n_users // 10)]
    out = np.zeros(data.n_users, np.bool_)
    out[held] = True
    position = np.arange(len(data)) - data.indptr[data.user]
    lengths = np.diff(data.indptr)[data.user]
    late = out[data.user] & (position > 0) & (position >= lengths - -(-lengths // 10))
    rows = np.flatnonzero(late)
    rows = rows[data.item[rows] != data.item[rows - 1]]
    asked, wanted = data.item[rows - 1].astype(np.int64), data.item[rows].astype(np.int64)
    return Questions(data.select(~out[data.user]), asked, wanted, data.user[rows].astype(np.int64))


def ours(model: RelatedItemsModel) -> Ranker:
    """The lists of one of our models."""

    def rank(asked: Rows) -> Rows:
        lists = []
        for begin in range(0, len(asked), 512):
            scores = model.score_related(asked[begin : begin + 512].astype(np.int32))
            lists.append(np.argsort(-scores, axis=1, kind="stable")[:, :LISTED])
        return np.concatenate(lists)

    return rank


def peers(matrix: sparse.csr_array) -> Mapping[str, Callable[[], Ranker]]:
    """The item-kNN models of `implicit`, each fitted when it is called."""
    import implicit.nearest_neighbours as found

    def make(name: str) -> Ranker:
        model = getattr(found, name)(K=PEER_NEIGHBOURS, num_threads=1)
        model.fit(sparse.csr_matrix(matrix), show_progress=False)

        def rank(asked: Rows) -> Rows:
            lists = np.full((len(asked), LISTED), -1, np.int64)
            for row, item in enumerate(asked):
                ids, _ = model.similar_items(int(item), N=LISTED + 1)
                others = [int(one) for one in ids if one != item][:LISTED]
                lists[row, : len(others)] = others
            return lists

        return rank

    return {f"implicit {name}": (lambda name=name: make(name)) for name in PEERS}


def measured(lists: Rows, given: Questions) -> dict[str, FloatArray]:
    """Hit and discounted gain of each question: (questions,)."""
    found = lists == given.wanted[:, None]
    hit = found.any(axis=1)
    rank = np.where(hit, found.argmax(axis=1), 0)
    return {"hit_rate_at_10": hit.astype(np.float32), "ndcg_at_10": (hit / np.log2(rank + 2)).astype(np.float32)}


def run(data: DataSet, seeds: range) -> dict[str, list[dict[str, float]]]:
    """Every model on every seed; a line on the terminal for each."""
    results: dict[str, list[dict[str, float]]] = {}
    for seed in seeds:
        given = questions(data.log.interactions, seed)
        popular = ItemKNNConfig(max_item_interaction_count_percentile=1.0)
        # Titles aside: in the Items that `matinee convert` writes they are plain strings, which no recipe reads.
        films = None if data.features is None else replace(data.features, texts=())
        options = FitOptions(seed=seed)
        models: dict[str, Callable[[], Ranker]] = {
            "aws-sims": lambda g=given, o=options: ours(ItemKNN().fit(g.train, None, o)),
            "aws-sims, max_item_interaction_count_percentile 1": lambda g=given, o=options, c=popular: ours(
                ItemKNN(c).fit(g.train, None, o)
            ),
            "aws-similar-items": lambda g=given, o=options, f=films: ours(SimilarItems().fit(g.train, f, o)),
        }
        if find_spec("implicit"):
            models |= peers(user_item_matrix(given.train))
        for name, make in models.items():
            started = time.perf_counter()
            ranker = make()
            seconds = time.perf_counter() - started
            values = {key: float(found.mean()) for key, found in measured(ranker(given.asked), given).items()}
            results.setdefault(name, []).append({**values, "train_seconds": seconds, "questions": len(given.asked)})
            print(f"{data.name} seed {seed}  {name:52s} {values}  {seconds:.1f} s", flush=True)
    return results


def table(results: Mapping[str, list[dict[str, float]]]) -> str:
    """Means and standard deviations over the seeds, in Markdown."""
    rows = ["| model | hit rate@10 | NDCG@10 | training, s |", "|---|---|---|---|"]
    for name, found in results.items():
        cells = []
        for metric in ("hit_rate_at_10", "ndcg_at_10"):
            values = np.array([one[metric] for one in found])
            cells.append(f"{values.mean():.4f}" + (f" ± {values.std(ddof=1):.4f}" if len(values) > 1 else ""))
        rows.append(f"| {name} | {' | '.join(cells)} | {np.mean([one['train_seconds'] for one in found]):.1f} |")
    return "\n".join(rows)


def main() -> None:
    """Measure and write the two files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--datasets", nargs="+", default=["ml-100k", "ml-1m"])
    given = parser.parse_args()
    found, parts = {}, []
    for name in given.datasets:
        data = load_dataset(name, Settings.from_environment(), protocol="leave-one-out")
        results = run(data, range(given.seeds))
        found[name] = results
        log = data.log.interactions
        asked = int(np.mean([one["questions"] for one in next(iter(results.values()))]))
        parts.append(
            f"## {name}\n\n{len(log):,} events, {log.n_users:,} users, {log.n_items:,} items; about {asked:,} "
            f"questions a seed.\n\n{table(results)}\n"
        )
    version = metadata.version("implicit") if find_spec("implicit") else "not installed"
    facts = f"{given.seeds} seeds, implicit {version}, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    text = (
        f"# Related items\n\n{__doc__}\n{facts}; mean ± standard deviation over the seeds.\n\n{_CHOSEN}\n"
        + "\n".join(parts)
    )
    folder = Path(__file__).parent
    (folder / "related_items.md").write_text(text, encoding="utf-8")
    report = {"seeds": given.seeds, "implicit": version, "results": found}
    (folder / "related_items.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
