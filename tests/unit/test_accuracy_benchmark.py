"""The accuracy benchmark runs section by section, keeps what it measured, and says what it skipped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from matinee.data.sample import generate_sample

SCRIPT = Path(__file__).parents[2] / "benchmarks/accuracy.py"


def run(out: Path, data: Path, *sections: str) -> None:
    only = [word for section in sections for word in ("--only", section)]
    command = [sys.executable, str(SCRIPT), "--quick", "--seeds", "1", "--dataset", str(data), "--out", str(out), *only]
    command += ["--peer-python", "/no/such/python"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which two sections were measured by one run and a third by another."""
    folder = tmp_path_factory.mktemp("benchmark")
    data = generate_sample(users=60, films=80, ratings=2_000).write(folder / "data")
    run(folder / "out", data, "temporal", "cold-items")
    run(folder / "out", data, "latency")
    return folder / "out"


def test_a_section_measured_later_keeps_the_others(measured: Path) -> None:
    assert set(json.loads((measured / "accuracy.json").read_text())) == {"temporal", "cold-items", "latency"}
    page = (measured / "accuracy.md").read_text()
    for title in ("## Protocol temporal", "## Cold items", "## Latency"):
        assert title in page


def test_the_page_shows_the_figures_of_the_json(measured: Path) -> None:
    report = json.loads((measured / "accuracy.json").read_text())["temporal"]
    page = (measured / "accuracy.md").read_text()
    for entry in (report, *report["others"], *report["beside"].values()):
        assert f"| {entry['recipe']} | {entry['metrics']['ndcg_at_10']['mean']:.4f} (" in page


def test_peers_that_are_not_there_are_told(measured: Path) -> None:
    assert "implicit skipped: " in (measured / "accuracy.md").read_text()


def test_quick_figures_are_called_no_measurement_and_never_replace_one(measured: Path) -> None:
    assert "these figures are no measurement" in (measured / "accuracy.md").read_text()
    refused = subprocess.run([sys.executable, str(SCRIPT), "--quick"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--quick needs --out" in refused.stderr
