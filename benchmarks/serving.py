"""How fast recommendations are served; writes serving.json and serving.md beside it, serving_notes.md at its end.

    python benchmarks/serving.py [--quick] [--artifact FOLDER] [--out FOLDER]

The first rows are `matinee bench serving`, so they need wrk. The exact search and the start are measured in process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from matinee.bench.catalogue import load_catalogue
from matinee.bench.home import ACCOUNT, REGION, make_home
from matinee.bench.serving import Plan, run
from matinee.bench.short_training import write_short
from matinee.bench.wrk import Load
from matinee.serving.ranking import best
from matinee.settings import Settings

HERE = Path(__file__).parent
TOP, SHARE = 100, 0.01


def exact_search(items: int, dimension: int = 64, turns: int = 15) -> dict[str, float]:
    """Milliseconds of the best 100 under a 1% filter, as a request finds them and as NumPy alone would; in turn."""
    random = np.random.default_rng(0)
    matrix = random.standard_normal((items, dimension), dtype=np.float32)
    allowed = random.random(items) < SHARE
    query = random.standard_normal(dimension, dtype=np.float32)

    def ours() -> np.ndarray[Any, Any]:
        return best(matrix @ query, allowed, TOP)

    def numpys() -> np.ndarray[Any, Any]:
        scores = np.where(allowed, matrix @ query, -np.inf)
        return np.argpartition(-scores, TOP)[:TOP]

    def plain() -> np.ndarray[Any, Any]:
        return np.argpartition(-(matrix @ query), TOP)[:TOP]

    if set(ours().tolist()) != set(numpys().tolist()):
        raise SystemExit("the search is not exact")
    times: dict[str, list[float]] = {"ours": [], "numpy_filtered": [], "numpy": []}
    for _ in range(turns):
        for name, search in (("ours", ours), ("numpy_filtered", numpys), ("numpy", plain)):
            times[name].append(_milliseconds(search))
    tracemalloc.start()
    ours()
    beside = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "items": items,
        **{f"{name}_ms": round(statistics.median(found), 2) for name, found in times.items()},
        "memory_to_matrix": round((matrix.nbytes + beside) / matrix.nbytes, 4),
    }


def _milliseconds(call: Callable[[], object]) -> float:
    """Processor time, which other work on the machine lengthens less than time on the clock."""
    started = time.process_time()
    call()
    return (time.process_time() - started) * 1e3


_START = """
import sys, time
from pathlib import Path
from matinee.control.context import Caller
from matinee.serving.runtime import Runtime
from matinee.settings import Settings
from matinee.storage.local_disk import LocalDisk
from matinee.storage.metadata import Database
home, account, region, campaign, user = sys.argv[1:]
settings = Settings(home=Path(home))
database = Database(settings.effective_database_url)
runtime = Runtime(database, LocalDisk(settings.home / "objects"), settings)
started = time.perf_counter()
answer = runtime.get_recommendations(Caller(account, region), {"campaignArn": campaign, "userId": user})
assert len(answer["itemList"]) == 25
print(time.perf_counter() - started)
"""


def campaign_start(artifact: Path, dataset: str, settings: Settings, history: int, user: str) -> dict[str, float]:
    """Seconds from the first request for a campaign to its answer in a process that has not opened the artifact."""
    size = sum(path.stat().st_size for path in artifact.rglob("*") if path.is_file()) / 1e6
    with tempfile.TemporaryDirectory(prefix="matinee-bench-") as scratch:
        home = make_home(Path(scratch), artifact, load_catalogue(dataset, settings, history).genres, "Drama")
        arguments = [scratch, ACCOUNT, REGION, home.campaign, user]
        done = [
            subprocess.run([sys.executable, "-c", _START, *arguments], capture_output=True, text=True, check=True)
            for _ in range(3)
        ]
    return {"megabytes": round(size, 1), "seconds": round(statistics.median(float(one.stdout) for one in done), 3)}


def page(found: dict[str, Any], notes: str) -> str:
    """The report."""
    served, search, start = found["serving"], found["exact_search"], found["campaign_start"]
    ours = search["ours_ms"] / search["numpy_ms"]
    rows = [
        (
            "Computed (User-Personalization-v2, history 100, 25 results)",
            f"{served['uncached_rps']:.0f}/s, {served['uncached_to_bare']:.1%} of the bare server's "
            f"{served['bare_rps']:.0f}/s",
            "≥ 25%",
        ),
        (
            "The same for users whose history nobody asked about since their last event",
            f"{served['cold_rps']:.0f}/s, {served['cold_to_bare']:.1%} of bare",
            "",
        ),
        (
            "p99 of the computed",
            f"{served['p99_ms']} ms, {served['p99_ms'] / served['p50_ms']:.1f} times its p50",
            "≤ 5 times",
        ),
        ("torch in the process", "yes" if served["torch_in_process"] else "no", "no"),
        (
            "With a genre filter and without what was watched",
            f"{served['filtered_rps']:.0f}/s, {served['filtered_to_uncached']:.1%} of the unfiltered rate",
            "≥ 85%",
        ),
        ("From the cache", f"{served['cached_rps']:.0f}/s, {served['cached_to_bare']:.1%} of bare", "≥ 65%"),
        ("PutEvents, durable, batches of 10", f"{served['put_events_per_second']:.0f} events/s", "≥ 5,000"),
        (
            "An event is seen by the next request, with a filter of what was watched",
            f"{served['events_seen_by_the_next_request']} times of {served['events_seen_by_the_next_request']}",
            "always",
        ),
        (
            f"{search['items']:,} items, d = 64, exact top 100, 1% filter",
            f"{search['ours_ms']} ms, {ours:.2f} times product and argpartition ({search['numpy_ms']} ms); "
            f"memory {search['memory_to_matrix']:.2f} times the matrix",
            "≤ 1 times, ≤ 1.2 times",
        ),
        (f"First answer on an artifact of {start['megabytes']} MB", f"{start['seconds']} s", "≤ 1 s"),
    ]
    lines = "\n".join(f"| {what} | {said} | {bar} |" for what, said, bar in rows)
    return (
        f"# Serving\nWritten by `benchmarks/serving.py` on {found['date']}; {found['machine']}.\n\n"
        f"| what | measured | bar |\n|---|---|---|\n{lines}\n\n{notes}"
    )


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and short, to see that it runs")
    parser.add_argument("--dataset", default="ml-1m")
    parser.add_argument("--artifact", type=Path)
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    settings, quick = Settings.from_environment(), given.quick
    history, users = (10, 20) if quick else (100, 600)
    with tempfile.TemporaryDirectory(prefix="matinee-bench-") as scratch:
        folder = given.artifact or Path(scratch) / "artifact"
        catalogue = load_catalogue(given.dataset, settings, history)
        if not (folder / "manifest.json").exists():
            write_short(folder, catalogue.log, catalogue.whole, users=users)
        load = Load(1, 4) if quick else Load()
        plan = Plan(given.dataset, folder, load, 1 if quick else 3, 0 if quick else 1, history, users)
        found = {
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
            "serving": run(plan, settings),
            "exact_search": exact_search(20_000 if quick else 1_000_000),
            "campaign_start": campaign_start(folder, given.dataset, settings, history, catalogue.log.user_ids[0]),
        }
    (given.out / "serving.json").write_text(json.dumps(found, indent=1) + "\n")
    (given.out / "serving.md").write_text(page(found, (HERE / "serving_notes.md").read_text()))


if __name__ == "__main__":
    main()
