"""A fitted model in a folder: its own files, and a manifest that names, sizes and sums them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matinee.errors import ArtifactProblem
from matinee.models.base import Model
from matinee.models.registry import model_class

MANIFEST = "manifest.json"
FORMAT = 1


def write_model(model: Model, folder: Path) -> dict[str, Any]:
    """Write a fitted model and its manifest into `folder`, made when missing; returns the manifest."""
    model.save(folder)
    manifest = {
        "format": FORMAT,
        "model": model.name,
        "config": model.config_dict(),
        "n_items": model.n_items,
        "files": describe_files(folder, leave_out=(MANIFEST,)),
    }
    # The manifest is written last and renamed into place: a folder that has one is whole.
    partial = folder / f"{MANIFEST}.partial"
    partial.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / MANIFEST)
    return manifest


def read_model(folder: Path, *, verify_sums: bool = False) -> Model:
    """The model that `write_model` wrote; arrays are memory-mapped and torch is not imported.

    The size of every file is checked; its SHA-256 too with `verify_sums`, which reads all of it. Raises
    `ArtifactProblem` naming the file that is missing, altered or cut short.
    """
    manifest = read_manifest(folder)
    try:
        name, config, files = manifest["model"], manifest["config"], manifest["files"]
    except KeyError as error:
        raise ArtifactProblem(f"{folder / MANIFEST} has no {error}. Train again.") from None
    verify_files(folder, files, sums=verify_sums)
    return model_class(name).load(folder, config)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest in `folder`; raises `ArtifactProblem` when it is missing, unreadable or of another format."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactProblem(f"{path} is missing. Train again, or restore the folder.") from None
    except ValueError:
        raise ArtifactProblem(f"{path} is not valid JSON. Train again, or restore the file.") from None
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise ArtifactProblem(f"{path} has format {found!r}; this version of Matinee reads format {FORMAT}.")
    return dict(manifest)


def describe_files(folder: Path, *, leave_out: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    """Size in bytes and SHA-256 of every file below `folder`, by path relative to it, sorted."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": _sha256(path)}
        for path in paths
        if path.relative_to(folder).as_posix() not in leave_out
    }


def verify_files(folder: Path, files: Mapping[str, Mapping[str, Any]], *, sums: bool) -> None:
    """Check `files`, as `describe_files` gave them, against the disk; raises `ArtifactProblem` naming the file."""
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise ArtifactProblem(f"{path} is missing. Train again, or restore the file.")
        size = path.stat().st_size
        if size != expected["size"]:
            raise ArtifactProblem(f"{path} has {size} bytes, not {expected['size']}. Train again, or restore the file.")
        if sums and _sha256(path) != expected["sha256"]:
            raise ArtifactProblem(f"{path} was altered: its SHA-256 is not the manifest's. Train again.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
