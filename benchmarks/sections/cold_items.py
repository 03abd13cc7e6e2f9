"""Items held out of training: recall among them, from genres and year alone, beside a random order."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from sections.options import Options

from matinee.evaluation.cold_items import COLD_SHARE, hold_out_items, measure_cold
from matinee.evaluation.datasets import load_dataset
from matinee.models.base import FitOptions
from matinee.settings import Settings
from matinee.training.contenders import contender


def measure(options: Options) -> dict[str, Any]:
    """Recall@25 of the recipe's model for each seed; the seed draws the items and the fit."""
    dataset = options.dataset or "ml-1m"
    sets = {"model.transformer": "null"} if options.quick else {}
    one = contender("aws-user-personalization-v2", sets)
    data = load_dataset(dataset, Settings.from_environment())
    found = []
    for seed in range(options.seeds or 1):
        split = hold_out_items(data.log.interactions, seed)
        started = time.perf_counter()
        model = one.make().fit(one.select(split.train), data.features, FitOptions(seed=seed, threads=options.threads))
        trained = time.perf_counter() - started
        result = measure_cold(split, model.score)
        figures = asdict(result)
        found.append({"seed": seed, "train_seconds": trained, **figures})
        print(
            f"cold-items: seed {seed}  recall@25 {result.recall_at_25.mean:.4f}, random order {result.random:.4f}, "
            f"{result.scored} of {result.cold_items} cold items scored",
            flush=True,
        )
    return {"dataset": dataset, "share": COLD_SHARE, "recipe": one.name, "about": dict(one.about), "seeds": found}
