"""`implicit`'s recommend for all users of a file that batch.py wrote; run by a Python that has `implicit`.

    python implicit_batch.py GIVEN.npz --factors 64 --threads 1 --results 25

AlternatingLeastSquares is fitted on the real users; each generated user has the factors of the one they were drawn
from. Prints JSON: users, seconds and CPU seconds of each way to ask.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
from implicit.als import AlternatingLeastSquares
from scipy import sparse

#: Users whose factors are computed anew from their history: slow, so that fewer tell as much.
_FOLDED = 5_000


def main() -> None:
    """Fit, then time each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("given")
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results", type=int, default=25)
    options = parser.parse_args()
    given = np.load(options.given)
    n_items, chosen = int(given["n_items"]), given["chosen"]
    liked = _matrix(given["indptr"], given["items"], n_items)
    model = AlternatingLeastSquares(options.factors, iterations=3, num_threads=options.threads, random_state=0)
    model.fit(liked, show_progress=False)
    model.user_factors = np.ascontiguousarray(model.user_factors[chosen])
    liked = liked[chosen]
    ways = {
        "recommend": (np.arange(len(chosen)), {}),
        "recommend, liked items too": (np.arange(len(chosen)), {"filter_already_liked_items": False}),
        "recommend, recalculate_user": (np.arange(min(_FOLDED, len(chosen))), {"recalculate_user": True}),
    }
    found = {}
    for name, (users, more) in ways.items():
        own = liked[users]
        wall, cpu = time.perf_counter(), time.process_time()
        ids, _ = model.recommend(users, own, N=options.results, **more)
        found[name] = {
            "users": len(ids),
            "seconds": time.perf_counter() - wall,
            "cpu_seconds": time.process_time() - cpu,
        }
    print(json.dumps(found))


def _matrix(indptr: np.ndarray, items: np.ndarray, n_items: int) -> sparse.csr_matrix:
    matrix = sparse.csr_matrix((np.ones(len(items), np.float32), items, indptr), shape=(len(indptr) - 1, n_items))
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


if __name__ == "__main__":
    main()
