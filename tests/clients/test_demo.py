"""`matinee demo` as a user runs it: to its end, and interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from matinee.data.sample import generate_sample

#: The most events of the film list that the demo shows.
_SHOWN = 8


@pytest.fixture
def small_movielens(tmp_path: Path) -> Path:
    """A folder in MovieLens layout that trains within seconds."""
    return generate_sample(users=120, films=150, ratings=6_000, seed=1).write(tmp_path / "films")


def _demo(arguments: list[str], scratch: Path) -> subprocess.Popen[str]:
    """The demo on a machine where MATINEE_DATABASE_URL leads to someone's real server, which it must leave alone."""
    scratch.mkdir()
    real = f"sqlite:///{scratch.parent / 'real.db'}"
    return subprocess.Popen(
        [sys.executable, "-m", "matinee", "demo", *arguments],
        env={
            **os.environ,
            "TMPDIR": str(scratch),
            "MATINEE_HOME": str(scratch.parent / "home"),
            "MATINEE_DATABASE_URL": real,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _processes_mentioning(text: str) -> list[str]:
    lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if text in line:
                lines.append(line)
    return lines


def test_demo_tells_its_story_and_leaves_nothing(small_movielens: Path, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    scratch = tmp_path / "scratch"
    process = _demo(["--dataset", str(small_movielens), "--json", str(figures)], scratch)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "The demo is done" in output
    assert "datasetGroup: { name: movies, domain: VIDEO_ON_DEMAND }" in output
    assert "Plan: 12 to create, 2 to import, 3 to train." in output
    assert "✓ the same file planned again: nothing to do" in output
    story = json.loads(figures.read_text())
    assert set(story["metrics"]) == {"aws-popularity-count", "aws-sims", "aws-user-personalization-v2"}
    for metrics in story["metrics"].values():
        assert 0 < metrics["normalized_discounted_cumulative_gain_at_10"] <= 1
        assert 0 < metrics["coverage"] <= 1
    for user in story["users"]:
        assert len(user["recommended"]) == _SHOWN
        assert all(film["title"] for film in user["history"] + user["recommended"])
        assert f"User {user['user_id']}" in output
    watched = {film["item_id"] for film in story["events"]["watched"]}
    assert story["events"]["changed"] > 0
    assert not watched & {film["item_id"] for film in story["events"]["after"]}
    assert list(scratch.iterdir()) == []
    assert _processes_mentioning(str(scratch)) == []
    assert not (tmp_path / "real.db").exists()


def test_a_folder_that_holds_a_server_is_left_alone(small_movielens: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "matinee.db").write_bytes(b"someone's")
    process = _demo(["--dataset", str(small_movielens), "--home", str(kept)], tmp_path / "scratch")
    output, _ = process.communicate()
    assert process.returncode == 1
    assert "already holds a server's data" in output
    assert [path.name for path in kept.iterdir()] == ["matinee.db"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_demo_leaves_nothing(how: signal.Signals, small_movielens: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    if signal.getsignal(how) is signal.SIG_IGN:  # tests begun in a shell's background: children would ignore it, too
        signal.signal(how, signal.SIG_DFL if how is not signal.SIGINT else signal.default_int_handler)
    process = _demo(["--dataset", str(small_movielens)], scratch)
    assert process.stdout is not None
    for line in process.stdout:
        if "import interactions" in line and "✓" in line:  # the trainings are all to come
            break
    process.send_signal(how)
    rest, _ = process.communicate()
    assert process.returncode != 0, rest
    assert list(scratch.iterdir()) == []
    assert _processes_mentioning(str(scratch)) == []
