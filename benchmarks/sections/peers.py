"""Other libraries on the same splits: each in a process of its own Python, its lists measured by the same code."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from matinee.evaluation.comparison import Contender, Run, sum_up
from matinee.evaluation.lists import with_truth
from matinee.evaluation.splits import Split
from matinee.models.popularity import Popularity

_SCRIPTS = Path(__file__).parents[1] / "peers"


@dataclass(frozen=True)
class Peer:
    """A library's model: the script that runs it, its options, and the package that must be importable."""

    name: str
    package: str
    script: str
    options: tuple[str, ...] = ()

    @property
    def contender(self) -> Contender:
        """What the report calls it."""
        return Contender(self.name, Popularity, about={"peer": self.package, "options": " ".join(self.options)})


IMPLICIT = (
    Peer("implicit item-kNN (cosine)", "implicit", "implicit_models.py", ("--model", "item-knn")),
    Peer("implicit item-kNN (BM25)", "implicit", "implicit_models.py", ("--model", "bm25")),
    Peer("implicit ALS", "implicit", "implicit_models.py", ("--model", "als")),
)


def rectools(epochs: int, length: int = 100) -> Peer:
    """RecTools' SASRec of so many epochs."""
    options = ("--epochs", str(epochs), "--length", str(length))
    return Peer(f"RecTools SASRec, {epochs} epochs", "rectools", "rectools_sasrec.py", options)


def version(python: str, package: str) -> str | None:
    """The version of `package` that `python` can import; None when it cannot."""
    code = f"import importlib.metadata, {package}; print(importlib.metadata.version('{package}'))"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.split()[-1] if done.returncode == 0 and done.stdout.split() else None


def available(peers: Sequence[Peer], python: str) -> tuple[list[Peer], dict[str, str]]:
    """The peers that can run, and for every package its version or why it was skipped."""
    found = {package: version(python, package) for package in dict.fromkeys(peer.package for peer in peers)}
    told = {package: got or f"skipped: {python} cannot import it" for package, got in found.items()}
    return [peer for peer in peers if found[peer.package]], told


def run_peer(peer: Peer, python: str, split: Split, seed: int, threads: int, *, exclude_seen: bool) -> Run:
    """One peer on one split. Raises SystemExit with the peer's own words when it fails."""
    with tempfile.TemporaryDirectory(prefix="matinee-peer-") as scratch:
        given, lists = Path(scratch) / "split.npz", Path(scratch) / "lists.npz"
        inputs = split.inputs(0, len(split))
        np.savez(
            given,
            user=split.train.user,
            item=split.train.item,
            timestamp=split.train.timestamp,
            n_users=split.log.n_users,
            n_items=split.log.n_items,
            case_user=split.user,
            input_indptr=inputs.indptr,
            input_items=inputs.items,
            exclude_seen=exclude_seen,
        )
        command = [python, str(_SCRIPTS / peer.script), str(given), str(lists), *peer.options]
        command += ["--seed", str(seed), "--threads", str(threads)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"}
        process = subprocess.Popen(command, env=environment, cwd=scratch, stderr=subprocess.PIPE, text=True)
        _, complaint = process.communicate()
        if process.returncode:
            raise SystemExit(f"{peer.name} failed:\n{complaint}")
        made = np.load(lists)
        run = sum_up(split, with_truth(split, made["ranked"], exclude_seen=exclude_seen), seed)
        spent = {name: float(made[name]) for name in ("train_seconds", "test_seconds", "peak_memory_mb")}
    return replace(run, **spent)
