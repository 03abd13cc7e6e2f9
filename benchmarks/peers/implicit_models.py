"""Models of `implicit` on a split that accuracy.py wrote; run by a Python that has `implicit`, not by Matinee's.

    python implicit_models.py SPLIT.npz LISTS.npz --model item-knn --seed 0 --threads 1

`item-knn` is CosineRecommender (200 neighbours), `bm25` BM25Recommender, `als` AlternatingLeastSquares (64 factors),
its users folded in from their inputs.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
from peak_memory import peak_memory_mb
from scipy import sparse

_USERS_AT_ONCE = 1000


def main() -> None:
    """Train, list 25 items for each input, write the lists and the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("split")
    parser.add_argument("lists")
    parser.add_argument("--model", choices=("item-knn", "bm25", "als"), default="item-knn")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    split = np.load(given.split)
    n_items = int(split["n_items"])
    ones = np.ones(len(split["user"]), np.float32)
    train = sparse.csr_matrix((ones, (split["user"], split["item"])), shape=(int(split["n_users"]), n_items))
    train.data[:] = 1.0
    makers = {
        "item-knn": lambda: CosineRecommender(K=200, num_threads=given.threads),
        "bm25": lambda: BM25Recommender(K=200, num_threads=given.threads),
        "als": lambda: AlternatingLeastSquares(64, num_threads=given.threads, random_state=given.seed),
    }
    model = makers[given.model]()
    started = time.perf_counter()
    model.fit(train, show_progress=False)
    trained = time.perf_counter()
    indptr, items = split["input_indptr"], split["input_items"]
    inputs = sparse.csr_matrix((np.ones(len(items), np.float32), items, indptr), shape=(len(indptr) - 1, n_items))
    inputs.sum_duplicates()
    inputs.data[:] = 1.0
    folded = {"recalculate_user": True} if given.model == "als" else {}
    ranked = np.full((inputs.shape[0], 25), -1, np.int32)
    for begin in range(0, inputs.shape[0], _USERS_AT_ONCE):
        rows = np.arange(begin, min(begin + _USERS_AT_ONCE, inputs.shape[0]))
        ids, scores = model.recommend(
            rows, inputs[rows], N=25, filter_already_liked_items=bool(split["exclude_seen"]), **folded
        )
        # A shorter list is filled with the lowest score that there is, or with nothing that was related.
        real = scores > (np.finfo(np.float32).min if given.model == "als" else 0)
        ranked[rows, : ids.shape[1]] = np.where(real, ids, -1)
    np.savez(
        given.lists,
        ranked=ranked,
        train_seconds=trained - started,
        test_seconds=time.perf_counter() - trained,
        peak_memory_mb=peak_memory_mb(),
    )


if __name__ == "__main__":
    main()
