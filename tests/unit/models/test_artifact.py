"""A model's folder is checked against its manifest, and what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.errors import ArtifactProblem
from matinee.models.artifact import read_model, write_model
from matinee.models.popularity import Popularity, PopularityConfig


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    user, item = np.array([0, 1, 1], np.int32), np.array([0, 0, 1], np.int32)
    data = Interactions.of(user, item, np.arange(3, dtype=np.int64), n_users=2, n_items=2)
    write_model(Popularity(PopularityConfig(window_days=9)).fit(data), tmp_path / "model")
    return tmp_path / "model"


def test_the_manifest_says_what_the_model_is(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["model"] == "popularity"
    assert manifest["config"] == {"window_days": 9}
    assert manifest["n_items"] == 2
    assert list(manifest["files"]) == ["model.safetensors"]
    assert len(manifest["files"]["model.safetensors"]["sha256"]) == 64


def test_the_model_comes_back(folder: Path) -> None:
    model = read_model(folder, verify_sums=True)
    assert isinstance(model, Popularity)
    assert model.counts.tolist() == [2, 1]


def test_a_file_of_another_size_is_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArtifactProblem, match=r"model\.safetensors has \d+ bytes"):
        read_model(folder)


def test_an_altered_file_is_refused_when_sums_are_verified(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactProblem, match=r"model\.safetensors was altered"):
        read_model(folder, verify_sums=True)


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ArtifactProblem, match=r"model\.safetensors is missing"):
        read_model(folder)


def test_a_missing_manifest_is_refused(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(ArtifactProblem, match=r"manifest\.json is missing"):
        read_model(folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not valid JSON"),
        ('{"format": 99}', "format 99"),
        ("[]", "format None"),
        ('{"format": 1}', "has no 'model'"),
    ],
)
def test_an_unusable_manifest_is_refused(folder: Path, content: str, said: str) -> None:
    (folder / "manifest.json").write_text(content)
    with pytest.raises(ArtifactProblem, match=said):
        read_model(folder)


def test_an_unknown_model_is_refused(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace("popularity", "oracle"))
    with pytest.raises(ArtifactProblem, match="no model 'oracle'"):
        read_model(folder)
