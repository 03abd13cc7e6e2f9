"""The model card of a solution version: what was trained on what, how, how well, on which machine; a file beside it."""

from __future__ import annotations

import importlib.metadata
import inspect
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

from matinee.errors import ArtifactProblem
from matinee.evaluation.memory import forget_peak, peak_memory_mb
from matinee.models.base import FitOptions, Progress

CARD = "card.json"
FORMAT = 1
#: Points of curves that a card keeps, the first ones; an epoch is one point.
_MOST_POINTS = 1000
_PACKAGES = ("matinee", "numpy", "scipy", "scikit-learn", "polars", "onnxruntime", "torch")
_CONFIG = ("solution_config", "config")


class Outcome(Protocol):
    """What a training gives back; a card needs its manifest."""

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest of the artifact."""


P = ParamSpec("P")
R = TypeVar("R", bound=Outcome)


def with_card(train: Callable[P, R]) -> Callable[P, R]:
    """Make a training leave a model card in its folder.

    `train` has parameters `out` and `options`, and its solution's configuration as `solution_config` or `config`.
    """
    signature = inspect.signature(train)
    config_name = next(name for name in _CONFIG if name in signature.parameters)

    @wraps(train)
    def trained(*args: P.args, **kwargs: P.kwargs) -> R:
        given = signature.bind(*args, **kwargs)
        recorder = _Recorder(given.arguments["options"])
        given.arguments["options"] = recorder.options
        outcome = train(*given.args, **given.kwargs)
        write_card(given.arguments["out"], recorder.card(outcome.manifest, given.arguments[config_name]))
        return outcome

    return trained


def read_card(folder: Path) -> dict[str, Any]:
    """The card in the artifact `folder`; raises `ArtifactProblem` when there is none that can be read."""
    path = folder / CARD
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactProblem(f"{path} is missing: name the folder of a trained artifact, or train again.") from None
    except ValueError:
        raise ArtifactProblem(f"{path} is not valid JSON. Train again, or restore the file.") from None
    found = card.get("format") if isinstance(card, dict) else None
    if found != FORMAT:
        raise ArtifactProblem(f"{path} has format {found!r}; this version of Matinee reads format {FORMAT}.")
    return dict(card)


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write the card beside the manifest, which does not list it: times differ where the model is the same."""
    partial = folder / f"{CARD}.partial"
    partial.write_text(json.dumps(card, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(folder / CARD)


def model_files(manifest: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of every file that the model and the actions wrote, by path: what a retraining must give again."""
    return {
        name: entry["sha256"]
        for name, entry in manifest["files"].items()
        if name.partition("/")[0] in ("model", "actions")
    }


class _Recorder:
    """Time, memory and curves of one training."""

    def __init__(self, options: FitOptions) -> None:
        self._passed_on = options.on_progress
        self._curves: list[dict[str, Any]] = []
        self._begun, self._clock = datetime.now(UTC), time.monotonic()
        self.options = replace(options, on_progress=self._record)
        forget_peak()

    def _record(self, step: Progress) -> None:
        if step.metrics and len(self._curves) < _MOST_POINTS:
            seconds = round(time.monotonic() - self._clock, 3)
            point = {"step": step.message, "fraction": round(step.fraction, 4), "seconds": seconds}
            self._curves.append({**point, "metrics": {name: float(value) for name, value in step.metrics.items()}})
        self._passed_on(step)

    def card(self, manifest: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
        """Everything that is known now that the training has ended."""
        evaluation = dict(manifest["evaluation"])
        return {
            "format": FORMAT,
            "recipe": manifest["recipe"],
            "model": manifest["model"],
            "solution_config": dict(config),
            "unused_parameters": manifest.get("unused_parameters", []),
            "data": manifest["data"],
            "fitted_on": manifest["fitted_on"],
            "search": manifest.get("search"),
            "metrics": manifest["metrics"],
            "intervals": evaluation.pop("intervals", {}),
            "evaluation": evaluation,
            "curves": self._curves,
            "training": {
                "started": self._begun.isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - self._clock, 3),
                "peak_memory_mb": round(peak_memory_mb(), 1),
                "seed": self.options.seed,
                "threads": self.options.threads,
                "device": self.options.device,
                "bfloat16": self.options.bfloat16,
                "compiled": self.options.compiled,
            },
            "hardware": _hardware(),
            "versions": versions(),
            "files": model_files(manifest),
        }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a model is made with; those that are not installed are left out."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _hardware() -> dict[str, Any]:
    """The machine, in words and numbers."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_mb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6),
    }


def _processor() -> str:
    """The processor's name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
