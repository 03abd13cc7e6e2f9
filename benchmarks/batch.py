"""Batch inference beside `implicit`, and its memory by size; writes batch.json, batch.md and batch_memory.svg.

    MATINEE_DATASETS=/path/to/datasets python benchmarks/batch.py --peer-python /path/to/venv/bin/python

Matinee's figures are of whole jobs: JSON Lines read, users looked up, scored, filtered and sorted, JSON Lines with IDs
and scores written, forced to the disk and put in place. `implicit`'s are of `recommend` alone, from arrays to arrays.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
from sections import batch_page
from sections.batch_home import RESULTS, BatchHome, drawn_users, write_input
from sections.batch_stages import clocks
from sections.peers import version

from matinee.bench.catalogue import load_catalogue
from matinee.data.interactions import InteractionLog
from matinee.evaluation.memory import peak_memory_mb
from matinee.settings import Settings

HERE = Path(__file__).parent
#: Users that the input names over and over where memory is measured, so that every size reads the same histories.
_NAMED = 10_000
_SEEN, _ALL, _BLEND = "factors, seen items left out", "factors, seen items too", "the blend of User-Personalization-v2"
_NOTE = """\
Equal factors: `factors` is Matinee's factor model (truncated SVD, here in a solution version of its own; recipes use it
for actions) with as many factors as `implicit`'s AlternatingLeastSquares. By default `recommend` leaves out what the
user liked; Matinee's job does so by a filter (`EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")`, of the newest
100 events as in the service). `implicit` looks a user's factors up as training left them; Matinee computes them from
the history that it finds, as `recalculate_user` does. The blend is what a solution of the recipe really gives."""


def main() -> None:
    """Measure and write the three files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ml-1m")
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--blend-users", type=int, default=5_000)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-python", default=sys.executable, help="a Python with implicit")
    parser.add_argument("--memory", default="10000,100000,1000000", help="comma-separated numbers of input lines")
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(json.loads(given.child))))
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"  # of the children
    with tempfile.TemporaryDirectory(prefix="matinee-batch-") as scratch:
        report = measure(given, Path(scratch))
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "batch.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (given.out / "batch.md").write_text(batch_page.page(report, (__doc__ or "").split("\n\n", 2)[2]), encoding="utf-8")
    if report["memory"]:
        (given.out / "batch_memory.svg").write_text(batch_page.plot(report["memory"]), encoding="utf-8")


def measure(given: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Everything, as it stands in batch.json."""
    catalogue = load_catalogue(given.dataset, Settings.from_environment(), history=1)
    whole = catalogue.whole
    grown, chosen = drawn_users(whole, given.users)
    home = BatchHome.make(scratch / "home", whole, grown, given.factors)
    peer = version(given.peer_python, "implicit")
    arrays = _arrays(scratch / "given.npz", whole, chosen)
    load, started = os.getloadavg()[0], time.perf_counter()
    rounds = []
    for number in range(given.rounds):
        found = {f"Matinee: {name}": one for name, one in _ours(home, scratch, given).items()}
        if peer is not None:
            script = [given.peer_python, str(HERE / "peers" / "implicit_batch.py"), str(arrays)]
            theirs = _call([*script, "--factors", str(given.factors), "--threads", "1", "--results", str(RESULTS)])
            found |= {f"implicit: {name}": one for name, one in theirs.items()}
        rounds.append(found)
        print(f"round {number}: " + ", ".join(f"{n} {o['users'] / o['seconds']:,.0f}/s" for n, o in found.items()))
    stages = {name: _job(home, scratch, name, _lines(name, given), stages=True)["stages"] for name in (_SEEN, _BLEND)}
    memory = [
        {"lines": size, **_job(home, scratch, _SEEN, size, users=min(_NAMED, given.users))}
        for size in map(int, filter(None, given.memory.split(",")))
    ]
    events = len(whole.interactions)
    return {
        "data": f"{catalogue.why} {events:,} events of {whole.interactions.n_users:,} users, "
        f"{whole.interactions.n_items:,} items; {given.users:,} users are made of them, each with the history of one "
        f"drawn at random. {given.factors} factors, {RESULTS} results.",
        "implicit": peer or f"skipped: {given.peer_python} cannot import it",
        "reading": _NOTE,
        "facts": {
            "measured": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "threads": 1,
            "rounds": given.rounds,
            "seconds": round(time.perf_counter() - started),
            "loaded": f"the load of the machine was {load:.1f} before, {os.getloadavg()[0]:.1f} after.",
        },
        "rounds": rounds,
        "stages": stages,
        "memory": memory,
    }


def child(asked: dict[str, Any]) -> dict[str, Any]:
    """One job in a process of its own, after a short one that loads what a worker has loaded."""
    home = BatchHome(Path(asked["home"]), asked["versions"], asked["seen"])
    model = "blend" if asked["name"] == _BLEND else "factors"
    filter_arn = home.seen if asked["name"] == _SEEN else None
    target = Path(asked["target"])
    if not asked["cold"]:
        home.run(home.versions[model], Path(asked["short"]), target / "short", filter_arn)
    wall, cpu = time.perf_counter(), time.process_time()
    own = _OwnMemory()
    with ExitStack() as watching:
        spent = watching.enter_context(clocks()) if asked["stages"] else {}
        if asked["cold"]:
            watching.enter_context(own)
        home.run(home.versions[model], Path(asked["source"]), target, filter_arn)
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    stages = {name: spent_on / asked["lines"] * 1e6 for name, spent_on in spent.items()}
    with (target / f"{Path(asked['source']).name}.out").open("rb") as out:
        answered = sum(1 for _ in out)
    if answered != asked["lines"]:
        raise SystemExit(f"{answered} of {asked['lines']} lines answered")
    return {
        "users": answered,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_mb": peak_memory_mb(),
        "own_mb": own.highest,
        "stages": stages,
    }


def _ours(home: BatchHome, scratch: Path, given: argparse.Namespace) -> dict[str, Any]:
    return {name: _job(home, scratch, name, _lines(name, given)) for name in (_SEEN, _ALL, _BLEND)}


def _lines(name: str, given: argparse.Namespace) -> int:
    return int(given.blend_users if name == _BLEND else given.users)


def _job(
    home: BatchHome, scratch: Path, name: str, lines: int, *, users: int | None = None, stages: bool = False
) -> dict[str, Any]:
    source = write_input(scratch / f"{lines}.json", lines, users or lines)
    short = write_input(scratch / "short.json", 1000, 1000)
    asked = {
        "home": str(home.folder),
        "versions": dict(home.versions),
        "seen": home.seen,
        "name": name,
        "source": str(source),
        "short": str(short),
        "target": str(scratch / "out"),
        "lines": lines,
        "stages": stages,
        "cold": users is not None,
    }
    return _call([sys.executable, __file__, "--child", json.dumps(asked)])


def _call(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[1]} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _arrays(path: Path, log: InteractionLog, chosen: np.ndarray[Any, Any]) -> Path:
    data = log.interactions
    np.savez(path, indptr=data.indptr, items=data.item, n_items=data.n_items, chosen=chosen)
    return path


class _OwnMemory:
    """The most memory that the process has of its own, MB, while the block runs: the model's files, which are mapped
    and which the system takes back when it needs room, left out."""

    def __init__(self) -> None:
        self.highest = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
                if line.startswith("RssAnon:"):
                    self.highest = max(self.highest, int(line.split()[1]) * 1024 / 1e6)


if __name__ == "__main__":
    main()
