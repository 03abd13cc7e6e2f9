"""Every training leaves a card that says what it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.unit.training.generated import generated_log
from tests.unit.training.test_solution_version import snapshot_of

from matinee.data.interactions import InteractionLog
from matinee.data.schemas import Field, Schema
from matinee.errors import ArtifactProblem
from matinee.models.base import FitOptions
from matinee.recipes.catalogue import find
from matinee.training.artifact import Artifact, write_without_users
from matinee.training.card import CARD, read_card
from matinee.training.card_page import card_page
from matinee.training.solution_version import train_version

CONFIG = {"algorithmHyperParameters": {"min_cointeraction_count": "1"}}


@pytest.fixture(scope="module")
def trained(log: InteractionLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact")
    train_version(snapshot_of(log), find("aws-sims"), CONFIG, folder, FitOptions(seed=3))
    return folder


def test_the_card_says_what_was_trained_on_what_and_how(log: InteractionLog, trained: Path) -> None:
    card, manifest = read_card(trained), Artifact.open(trained).manifest
    assert card["recipe"] == "arn:aws:personalize:::recipe/aws-sims"
    assert card["solution_config"] == CONFIG
    assert card["model"] == manifest["model"]
    assert (card["data"]["interactions"], card["data"]["sha256"]) == (1500, snapshot_of(log).fingerprint)
    assert (card["training"]["seed"], card["training"]["threads"], card["training"]["device"]) == (3, 1, "cpu")
    assert (card["training"]["bfloat16"], card["training"]["compiled"]) == (False, False)
    assert card["training"]["seconds"] > 0
    assert card["hardware"]["cores"] >= 1
    assert {"python", "matinee", "numpy", "polars"} <= set(card["versions"])


def test_metrics_lie_within_their_intervals(trained: Path) -> None:
    card = read_card(trained)
    for ours, theirs in (("ndcg_at_10", "normalized_discounted_cumulative_gain_at_10"), ("precision_at_5",) * 2):
        interval = card["intervals"][ours]
        assert interval["low"] <= interval["mean"] <= interval["high"]
        assert card["metrics"][theirs] == pytest.approx(interval["mean"], abs=1e-4)


def test_what_is_measured_only_where_it_is_asked_for_has_intervals_too(log: InteractionLog, tmp_path: Path) -> None:
    items = pl.DataFrame({"ITEM_ID": log.item_ids, "PRICE": np.arange(len(log.item_ids)) + 1.0})
    schema = Schema("Items", None, (Field("ITEM_ID", "string"), Field("PRICE", "float")))
    config = {
        "eventsConfig": {"eventParametersList": [{"eventType": "watch", "weight": 0.5}]},
        "optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "LOW"},
    }
    snapshot = replace(snapshot_of(log), items=items, items_schema=schema)
    train_version(snapshot, find("aws-sims"), config, tmp_path, FitOptions())
    card = read_card(tmp_path)
    for name in ("average_rewards_at_k", "normalized_discounted_cumulative_gain_with_event_weights_at_k", "coverage"):
        interval = card["intervals"][name]
        assert interval["low"] <= interval["mean"] <= interval["high"]
        assert card["metrics"][name] == pytest.approx(interval["mean"], abs=1e-4)


def test_curves_hold_what_the_training_reported(tmp_path: Path) -> None:
    snapshot = snapshot_of(generated_log(n_users=30, n_items=30, per_user=8))
    train_version(snapshot, find("aws-user-personalization-v2"), {}, tmp_path, FitOptions())
    epochs = [point for point in read_card(tmp_path)["curves"] if "loss" in point["metrics"]]
    assert len(epochs) >= 2
    assert epochs[-1]["metrics"]["loss"] < epochs[0]["metrics"]["loss"]
    assert "## Curves" in card_page(read_card(tmp_path))


def test_the_card_is_no_part_of_the_manifest_and_survives_the_deletion_of_users(trained: Path, tmp_path: Path) -> None:
    assert CARD not in Artifact.open(trained).manifest["files"]
    write_without_users(trained, tmp_path / "without", {"u5"})
    assert read_card(tmp_path / "without") == read_card(trained)
    assert CARD not in Artifact.open(tmp_path / "without").manifest["files"]


def test_the_page_shows_data_metrics_parameters_and_files(trained: Path) -> None:
    page = card_page(read_card(trained))
    assert page.startswith("# Model card: aws-sims\n")
    for part in (
        "| interactions | 1,500 |",
        "95% interval over users",
        '"min_cointeraction_count": 1',
        "model.safetensors",
    ):
        assert part in page


@pytest.mark.parametrize(("content", "problem"), [(None, "missing"), ("{", "not valid JSON"), ("{}", "format None")])
def test_a_card_that_cannot_be_read_is_refused(tmp_path: Path, content: str | None, problem: str) -> None:
    if content is not None:
        (tmp_path / CARD).write_text(content)
    with pytest.raises(ArtifactProblem, match=problem):
        read_card(tmp_path)
