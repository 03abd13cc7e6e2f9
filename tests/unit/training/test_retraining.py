"""Training again from a card gives the same arrays, or says what is different."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.training.generated import generated_log
from tests.unit.training.test_solution_version import snapshot_of

from matinee.data.interactions import InteractionLog
from matinee.errors import ArtifactProblem, DataProblem
from matinee.models.arrays import read_arrays
from matinee.models.base import FitOptions
from matinee.recipes.catalogue import find
from matinee.training.card import read_card
from matinee.training.retraining import retrain
from matinee.training.solution_version import train_version


@pytest.fixture
def trained(log: InteractionLog, tmp_path: Path) -> Path:
    config = {"algorithmHyperParameters": {"popularity_discount_factor": "0.3", "min_cointeraction_count": "1"}}
    train_version(snapshot_of(log), find("aws-sims"), config, tmp_path / "first", FitOptions(seed=5))
    return tmp_path / "first"


def test_a_card_gives_equal_arrays_again(log: InteractionLog, trained: Path, tmp_path: Path) -> None:
    outcome = retrain(read_card(trained), snapshot_of(log), tmp_path / "again")
    first, again = (read_arrays(folder / "model/model.safetensors") for folder in (trained, tmp_path / "again"))
    assert first.keys() == again.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    assert read_card(tmp_path / "again")["files"] == read_card(trained)["files"]
    assert outcome.metrics == read_card(trained)["metrics"]


def test_other_data_are_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="not those of the card"):
        retrain(read_card(trained), snapshot_of(generated_log(seed=1)), tmp_path / "again")


def test_another_outcome_is_told_with_what_has_changed(log: InteractionLog, trained: Path, tmp_path: Path) -> None:
    card = read_card(trained)
    altered = {**card, "files": dict.fromkeys(card["files"], "0" * 64), "versions": {"numpy": "0.1"}}
    with pytest.raises(ArtifactProblem, match=r"other files than the card's: model/.*made with numpy 0\.1, now"):
        retrain(altered, snapshot_of(log), tmp_path / "again")
