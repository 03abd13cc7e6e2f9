"""How long one request takes: all items scored for one history of 100."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sections.options import Options

from matinee.data.interactions import Histories
from matinee.evaluation.datasets import load_dataset
from matinee.models.base import FitOptions
from matinee.settings import Settings
from matinee.training.contenders import contender

_EVENTS, _TIMES = 100, 300
_ONE_EPOCH = {"transformer": {"epochs": "1"}, "blend": {"transformer": '{"epochs": 1}'}}


def measure(options: Options) -> dict[str, Any]:
    """Median milliseconds of each model, one thread, after a short training."""
    dataset = options.dataset or "ml-100k"
    data = load_dataset(dataset, Settings.from_environment(), protocol="personalize").log.interactions
    longest = int(np.diff(data.indptr).argmax())
    items = data.history(longest)[-_EVENTS:]
    history = Histories.one(items, np.arange(len(items), dtype=np.int64))
    found = {}
    for name in ("ease", "ridge") if options.quick else ("ease", "ridge", "transformer", "blend"):
        model = contender(name, _ONE_EPOCH.get(name)).make().fit(data, None, FitOptions(threads=options.threads))
        times = []
        for _ in range(_TIMES):
            started = time.perf_counter()
            model.score(history)
            times.append(time.perf_counter() - started)
        found[name] = float(np.median(times) * 1e3)
    return {"dataset": dataset, "events": len(items), "milliseconds": found}
