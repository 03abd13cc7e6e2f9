"""The accuracy benchmark runs section by section, keeps what it measured, and says what it skipped."""

from __future__ import annotations

import importlib
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
    command += ["--peer-python", "/no/such/python", "--device", "cpu", "--no-compile", "--memory-events", "2000,4000"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which two sections were measured by one run and the others by another."""
    folder = tmp_path_factory.mktemp("benchmark")
    data = generate_sample(users=60, films=80, ratings=2_000).write(folder / "data")
    run(folder / "out", data, "temporal", "cold-items")
    run(folder / "out", data, "latency", "personalize", "gpu", "memory")
    return folder / "out"


def test_a_section_measured_later_keeps_the_others(measured: Path) -> None:
    sections = {"temporal", "cold-items", "latency", "personalize", "gpu", "memory"}
    assert set(json.loads((measured / "accuracy.json").read_text())) == sections
    page = (measured / "accuracy.md").read_text()
    for title in ("## Protocol temporal", "## Cold items", "## Latency", "## Protocol personalize", "## On a GPU"):
        assert title in page


@pytest.mark.parametrize("section", ["temporal", "personalize", "gpu"])
def test_the_page_shows_the_figures_of_the_json(measured: Path, section: str) -> None:
    report = json.loads((measured / "accuracy.json").read_text())[section]
    page = (measured / "accuracy.md").read_text()
    for entry in (report, *report["others"], *report["beside"].values()):
        assert f"| {entry['recipe']} | {entry['metrics']['ndcg_at_10']['mean']:.4f} (" in page


def test_the_page_shows_memory_by_size(measured: Path) -> None:
    page = (measured / "accuracy.md").read_text()
    sizes = json.loads((measured / "accuracy.json").read_text())["memory"]["sizes"]
    assert [size["events"] for size in sizes] == [2000, 4000]
    for size in sizes:
        assert f"| {size['events']:,} | {size['seconds']:.1f} |" in page
    assert (measured / "accuracy_memory.svg").read_text().startswith("<svg")


def test_the_section_for_a_gpu_says_on_which(measured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = json.loads((measured / "accuracy.json").read_text())
    assert figures["gpu"]["facts"]["device"] == "cpu"
    assert "device" not in figures["temporal"]["facts"]
    assert " on cpu of " in (measured / "accuracy.md").read_text()
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: f"A GPU at {device}")
    options = importlib.import_module("sections.options").Options()
    assert options.facts("gpu", 1.0)["device"] == "A GPU at cuda"


def test_peers_that_are_not_there_are_told(measured: Path) -> None:
    assert "implicit skipped: " in (measured / "accuracy.md").read_text()


def test_quick_figures_are_called_no_measurement_and_never_replace_one(measured: Path) -> None:
    assert "these figures are no measurement" in (measured / "accuracy.md").read_text()
    refused = subprocess.run([sys.executable, str(SCRIPT), "--quick"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--quick needs --out" in refused.stderr
