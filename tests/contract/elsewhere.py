"""What other processes make of the suites: `fit` writes the scores of models fitted there, `load` names torch's users.

Run as `python -m tests.contract.elsewhere fit FILE` and `python -m tests.contract.elsewhere load FOLDER`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from matinee.data.interactions import Histories
from matinee.models.arrays import write_arrays
from matinee.models.artifact import read_model

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    """The output of this module in a process of its own, whose strings hash otherwise."""
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.contract.elsewhere", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fit(file: Path) -> None:
    """Fit every suite's model on all that may be given, and write the scores by `suite.given`."""
    from tests.contract.test_models import ACTION_SUITES, SUITES

    from matinee.models.base import FitOptions

    options = FitOptions(seed=3)
    scores = {
        f"{name}.{given}": suite.fit_on(given, options).score(suite.asked(given))
        for name, suite in SUITES.items()
        for given in suite.givens
    }
    scores |= {name: suite.scored(suite.fit_on(options)) for name, suite in ACTION_SUITES.items()}
    write_arrays(file, scores)


def load(folder: Path) -> list[str]:
    """Read and ask the models in the folders below `folder`; the name of the one that imports torch, if any."""
    for one in sorted(folder.iterdir()):
        read_model(one).score(Histories.one(np.array([1], np.int32), np.array([1], np.int64)))
        if "torch" in sys.modules:
            return [one.name]
    return []


if __name__ == "__main__":
    what, path = sys.argv[1:]
    if what == "fit":
        fit(Path(path))
    else:
        sys.stdout.write(json.dumps(load(Path(path))))
