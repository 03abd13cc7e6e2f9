"""RecTools' SASRec on a split that accuracy.py wrote; run by a Python that has `rectools[torch]`, not by Matinee's.

    python rectools_sasrec.py SPLIT.npz LISTS.npz --seed 0 --threads 1 --epochs 5 --length 100

The size is that of Matinee's transformer: 64 factors, 2 blocks, 2 heads. Only for inputs that are the training
histories (leave-one-out): SASRec is asked for users that it was trained on.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
import torch
from peak_memory import peak_memory_mb
from pytorch_lightning import seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel


def main() -> None:
    """Train, list 25 items for each user asked, write the lists and the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("split")
    parser.add_argument("lists")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--length", type=int, default=100)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    seed_everything(given.seed)
    split = np.load(given.split)
    order = np.lexsort((np.arange(len(split["user"])), split["timestamp"], split["user"]))
    # RecTools sorts by time; a second more for each later event of a tie keeps the order of the split.
    frame = pd.DataFrame(
        {
            Columns.User: split["user"][order],
            Columns.Item: split["item"][order],
            Columns.Weight: 1.0,
            Columns.Datetime: pd.to_datetime(np.arange(len(order)), unit="s"),
        }
    )
    dataset = Dataset.construct(frame)
    model = SASRecModel(
        n_blocks=2,
        n_heads=2,
        n_factors=64,
        session_max_len=given.length,
        loss="softmax",
        lr=1e-3,
        batch_size=128,
        epochs=given.epochs,
        deterministic=True,
    )
    started = time.perf_counter()
    model.fit(dataset)
    trained = time.perf_counter()
    users = split["case_user"]
    found = model.recommend(users=np.unique(users), dataset=dataset, k=25, filter_viewed=bool(split["exclude_seen"]))
    ranked = np.full((int(users.max()) + 1, 25), -1, np.int32)
    ranked[found[Columns.User].to_numpy(), found[Columns.Rank].to_numpy() - 1] = found[Columns.Item].to_numpy()
    np.savez(
        given.lists,
        ranked=ranked[users],
        train_seconds=trained - started,
        test_seconds=time.perf_counter() - trained,
        peak_memory_mb=peak_memory_mb(),
    )


if __name__ == "__main__":
    main()
