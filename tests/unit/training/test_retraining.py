"""Training again from a card gives the same arrays, or says what is different."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.unit.training import test_action_version, test_affinity_version, test_semantic_version
from tests.unit.training.generated import generated_log
from tests.unit.training.test_solution_version import snapshot_of

from matinee.data.interactions import InteractionLog
from matinee.data.schemas import Field, Schema
from matinee.errors import ArtifactProblem, DataProblem
from matinee.models.arrays import read_arrays
from matinee.models.base import FitOptions
from matinee.recipes.catalogue import find
from matinee.training.action_data import ActionData
from matinee.training.action_version import train_actions
from matinee.training.affinity_version import train_affinity
from matinee.training.card import read_card
from matinee.training.retraining import retrain
from matinee.training.searching import train_best
from matinee.training.semantic_version import train_semantic
from matinee.training.snapshot import Snapshot
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


def _same_again(folder: Path, snapshot: Snapshot, actions: ActionData | None = None) -> bool:
    """Whether the card in `folder` gives the same files of the model again, of which there is at least one."""
    retrain(read_card(folder), snapshot, folder.with_name("again"), actions=actions)
    files: dict[str, str] = read_card(folder)["files"]
    return len(files) > 0 and files == read_card(folder.with_name("again"))["files"]


def test_a_card_of_v2_gives_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.models.transformer.config._EPOCHS_RANGE", (2, 2))
    snapshot = snapshot_of(generated_log(n_users=30, n_items=30, per_user=8))
    train_version(snapshot, find("aws-user-personalization-v2"), {}, tmp_path / "first", FitOptions(seed=3))
    assert _same_again(tmp_path / "first", snapshot)


def test_a_card_of_affinity_gives_the_same_again(log: InteractionLog, tmp_path: Path) -> None:
    snapshot = test_affinity_version.snapshot(log, [])
    train_affinity(snapshot, find("aws-item-affinity"), {}, tmp_path / "first", FitOptions(seed=3))
    assert _same_again(tmp_path / "first", snapshot)


def test_a_card_of_actions_gives_the_same_again(log: InteractionLog, tmp_path: Path) -> None:
    snapshot, actions = test_action_version.snapshot(log), test_action_version.data(log, ["call", "join"])
    train_actions(snapshot, actions, find("aws-next-best-action"), {}, tmp_path / "first", FitOptions(seed=3))
    assert _same_again(tmp_path / "first", snapshot, actions)
    with pytest.raises(DataProblem, match="needs the actions of its dataset group"):
        retrain(read_card(tmp_path / "first"), snapshot, tmp_path / "without")


def test_a_card_of_texts_gives_the_same_again(tmp_path: Path) -> None:
    snapshot = test_semantic_version.snapshot(generated_log())
    train_semantic(snapshot, find("aws-semantic-similarity"), {}, tmp_path / "first", FitOptions(seed=3))
    assert _same_again(tmp_path / "first", snapshot)


def test_a_card_of_a_recipe_that_knows_items_without_events_gives_the_same_again(
    log: InteractionLog, tmp_path: Path
) -> None:
    items = pl.DataFrame({"ITEM_ID": [*log.item_ids, "without events"]})
    snapshot = replace(snapshot_of(log), items=items, items_schema=Schema("Items", None, (Field("ITEM_ID", "string"),)))
    train_version(snapshot, find("aws-similar-items"), {}, tmp_path / "first", FitOptions(seed=3))
    assert _same_again(tmp_path / "first", snapshot)


def test_a_card_of_a_tuned_version_gives_the_same_again_without_tuning(log: InteractionLog, tmp_path: Path) -> None:
    request = {
        "performHPO": True,
        "solutionConfig": {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "3"}}},
    }
    found = train_best(snapshot_of(log), [find("aws-sims")], request, tmp_path / "first", FitOptions(seed=3))
    card = read_card(tmp_path / "first")
    assert card["solution_config"]["tunedHPOParams"]["algorithmHyperParameters"] == found.tuned
    assert len(card["search"]["hpo"]["trials"]) == 3
    assert _same_again(tmp_path / "first", snapshot_of(log))
    assert read_card(tmp_path / "again")["search"] is None


def test_the_arithmetic_of_the_card_is_that_of_the_retraining(log: InteractionLog, tmp_path: Path) -> None:
    options = FitOptions(seed=5, bfloat16=True)
    train_version(snapshot_of(log), find("aws-sims"), {}, tmp_path / "first", options)
    retrain(read_card(tmp_path / "first"), snapshot_of(log), tmp_path / "again")
    assert read_card(tmp_path / "again")["training"]["bfloat16"] is True
    assert read_card(tmp_path / "again")["training"]["compiled"] is False


def test_a_card_from_before_there_was_a_choice_of_arithmetic_is_read(
    log: InteractionLog, trained: Path, tmp_path: Path
) -> None:
    card = read_card(trained)
    training = {name: value for name, value in card["training"].items() if name not in ("bfloat16", "compiled")}
    retrain({**card, "training": training}, snapshot_of(log), tmp_path / "again")
    assert read_card(tmp_path / "again")["training"]["bfloat16"] is False


def test_a_device_that_is_not_there_is_named(log: InteractionLog, trained: Path, tmp_path: Path) -> None:
    card = read_card(trained)
    with pytest.raises(DataProblem, match="trained on 'abacus', which is not there"):
        retrain({**card, "training": {**card["training"], "device": "abacus"}}, snapshot_of(log), tmp_path / "again")


def test_other_data_are_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="not those of the card"):
        retrain(read_card(trained), snapshot_of(generated_log(seed=1)), tmp_path / "again")


def test_another_outcome_is_told_with_what_has_changed(log: InteractionLog, trained: Path, tmp_path: Path) -> None:
    card = read_card(trained)
    altered = {**card, "files": dict.fromkeys(card["files"], "0" * 64), "versions": {"numpy": "0.1"}}
    with pytest.raises(ArtifactProblem, match=r"other files than the card's: model/.*made with numpy 0\.1, now"):
        retrain(altered, snapshot_of(log), tmp_path / "again")
