"""Memory and time of a training on generated interactions, 100,000 users and 50,000 items; each size in a process.

python memory.py EVENTS MODEL THREADS [NAME=VALUE ...]     one size, as accuracy.py calls it: prints JSON
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
_TELL_EVERY = 30.0


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
    """One process for each size, smallest first; what one says on standard error is passed on."""
    sizes = []
    for events in options.memory_events:
        command = [sys.executable, str(Path(__file__)), str(events), options.memory_model, str(options.threads)]
        command += options.memory_sets
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        failed = {"events": events, "failed": f"exit status {done.returncode}"}
        sizes.append(failed if done.returncode else json.loads(done.stdout.splitlines()[-1]))
        print(f"memory: {sizes[-1]}", flush=True)
    told = ", ".join([options.memory_model, *options.memory_sets])
    return {"model": told, "users": USERS, "items": ITEMS, "sizes": sizes}


def child(events: int, name: str, threads: int, sets: list[str]) -> dict[str, Any]:
    """Generate, train, and say how long it took and how much memory the process held; progress to standard error."""
    from matinee.evaluation.memory import peak_memory_mb
    from matinee.models.base import FitOptions, Progress
    from matinee.training.contenders import contender, parse_sets

    data = generate(events)
    one = contender(name, parse_sets(sets, [name])[name])
    told = [0.0]

    def on_progress(step: Progress) -> None:
        if time.perf_counter() - told[0] > _TELL_EVERY:
            told[0] = time.perf_counter()
            left = "" if step.seconds_left is None else f", {step.seconds_left:,.0f} s left"
            print(f"{events:,}: {step.message}{left}", file=sys.stderr, flush=True)

    before = peak_memory_mb()
    started = time.perf_counter()
    one.make().fit(one.select(data), None, FitOptions(threads=threads, on_progress=on_progress))
    seconds = time.perf_counter() - started
    return {"events": events, "seconds": seconds, "peak_memory_mb": peak_memory_mb(), "data_memory_mb": before}


if __name__ == "__main__":
    print(json.dumps(child(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:])))
