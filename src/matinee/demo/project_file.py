"""The demo's project file, written beside the converted data that it names."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

NAME = "matinee.yaml"


def write_project_file(folder: Path) -> Path:
    """Write the packaged project file into `folder` (of `matinee convert movielens`); returns its path.

    Not every release knows anything about its users: without `users.csv` the file names no Users dataset.
    """
    lines = resources.files("matinee.demo").joinpath(NAME).read_text(encoding="utf-8").splitlines(keepends=True)
    if not (folder / "users.csv").exists():
        lines = [line for line in lines if "users." not in line]
    path = folder / NAME
    path.write_text("".join(lines), encoding="utf-8")
    return path
