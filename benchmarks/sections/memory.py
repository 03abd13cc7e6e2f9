"""Memory and time of a training on generated interactions, 100,000 users and 50,000 items; each size in a process.

python memory.py EVENTS MODEL THREADS     one size, as accuracy.py calls it: prints JSON
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.data.interactions import Interactions

if TYPE_CHECKING:
    from sections.options import Options

USERS, ITEMS = 100_000, 50_000
_TASTES = 200
_DAYS = 365
_START = 1_700_000_000


def generate(events: int, seed: int = 0) -> Interactions:
    """Events of users with three of 200 tastes each; items of a taste are popular by Zipf's law, users differ in size.

    A user may meet an item more than once, as in a log of views.
    """
    random = np.random.default_rng(seed)
    activity = random.lognormal(0, 0.8, USERS)
    user = random.choice(USERS, size=events, p=activity / activity.sum()).astype(np.int32)
    tastes = random.integers(0, _TASTES, (USERS, 3))
    taste = tastes[user, random.integers(0, 3, events)]
    per_taste = ITEMS // _TASTES
    weights = 1 / (1.0 + np.arange(per_taste))
    place = random.choice(per_taste, size=events, p=weights / weights.sum())
    item = (taste * per_taste + place).astype(np.int32)
    when = _START + random.integers(0, _DAYS * 86_400, events)
    return Interactions.of(user, item, when, n_users=USERS, n_items=ITEMS)


def measure(options: Options) -> dict[str, Any]:
    """One process for each size, smallest first; a size that fails is reported with its last words."""
    sizes = []
    for events in options.memory_events:
        command = [sys.executable, str(Path(__file__)), str(events), options.memory_model, str(options.threads)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            sizes.append(json.loads(done.stdout.splitlines()[-1]))
        else:
            words = (done.stderr.strip().splitlines() or [f"signal {-done.returncode}"])[-1]
            sizes.append({"events": events, "failed": words})
        print(f"memory: {sizes[-1]}", flush=True)
    return {"model": options.memory_model, "users": USERS, "items": ITEMS, "sizes": sizes}


def child(events: int, name: str, threads: int) -> dict[str, Any]:
    """Generate, train, and say how long it took and how much memory the process held."""
    from matinee.evaluation.memory import peak_memory_mb
    from matinee.models.base import FitOptions
    from matinee.training.contenders import contender

    data = generate(events)
    one = contender(name)
    before = peak_memory_mb()
    started = time.perf_counter()
    one.make().fit(one.select(data), None, FitOptions(threads=threads))
    seconds = time.perf_counter() - started
    return {"events": events, "seconds": seconds, "peak_memory_mb": peak_memory_mb(), "data_memory_mb": before}


if __name__ == "__main__":
    print(json.dumps(child(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
