"""Searches end to end on a small log: what is found is what is trained, and the test users have no say in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.training.test_solution_version import snapshot_of

from matinee.data.interactions import InteractionLog
from matinee.errors import JobStopped
from matinee.evaluation.splits import personalize
from matinee.models.base import FitOptions, Progress
from matinee.recipes.catalogue import find
from matinee.training.searching import Found, train_best, training_part

V1 = "aws-user-personalization"


@pytest.fixture
def one_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transformers train for two epochs: what is looked at here is the search."""
    monkeypatch.setattr("matinee.models.transformer.config._EPOCHS_RANGE", (2, 2))


def hpo(jobs: int, **ranges: list[dict[str, Any]]) -> dict[str, Any]:
    """A request for HPO with so many trainings."""
    config: dict[str, Any] = {"hpoResourceConfig": {"maxNumberOfTrainingJobs": str(jobs)}}
    if ranges:
        config["algorithmHyperParameterRanges"] = ranges
    return {"performHPO": True, "solutionConfig": {"hpoConfig": config}}


def search(log: InteractionLog, folder: Path, request: Mapping[str, Any], *recipes: str, **options: Any) -> Found:
    """One training that looks for what to train."""
    return train_best(snapshot_of(log), [find(name) for name in recipes], request, folder, FitOptions(**options))


def test_the_version_is_trained_with_what_was_found(log: InteractionLog, folder: Path) -> None:
    found = search(log, folder, hpo(4), "aws-sims")
    manifest = found.outcome.manifest
    assert {name: str(manifest["model"]["config"][name]) for name in found.tuned} == found.tuned
    told = manifest["search"]["hpo"]
    assert told["best"] == found.tuned
    assert told["value"] == max(trial["value"] for trial in told["trials"])
    assert found.outcome.training_hours >= 0.001


def test_the_users_of_the_metrics_have_no_say(log: InteractionLog) -> None:
    part = training_part(snapshot_of(log), 0)
    asked = personalize(log.interactions, 0).user
    assert not np.isin(part.log.interactions.user, asked).any()
    assert np.isin(personalize(part.log.interactions, 0).user, asked).sum() == 0


@pytest.mark.usefixtures("one_epoch")
def test_a_transformer_is_tuned_and_pruned_by_its_epochs(log: InteractionLog, folder: Path) -> None:
    ranges: dict[str, list[dict[str, Any]]] = {
        "integerHyperParameterRanges": [
            {"name": "training.hidden_dimension", "minValue": 32, "maxValue": 40},
            {"name": "training.bptt", "minValue": 2, "maxValue": 6},
        ],
        "categoricalHyperParameterRanges": [{"name": "data.recency_mask", "values": ["true", "false"]}],
    }
    found = search(log, folder, hpo(2, **ranges), V1)
    assert set(found.tuned) == {"hidden_dimension", "bptt", "recency_mask"}
    assert found.tuned["recency_mask"] in ("true", "false")
    trials = found.outcome.manifest["search"]["hpo"]["trials"]
    assert [trial["epochs"] for trial in trials] == [2, 2]
    network = found.outcome.manifest["model"]["config"]["transformer"]
    assert network["length"] == int(found.tuned["bptt"]) + 1


def test_a_search_is_deterministic(log: InteractionLog, tmp_path: Path) -> None:
    first, second = (search(log, tmp_path / name, hpo(3), "aws-sims") for name in "ab")
    assert first.outcome.manifest["files"] == second.outcome.manifest["files"]
    assert first.outcome.manifest["search"] == second.outcome.manifest["search"]


def stops_at(words: str, messages: list[str]) -> Callable[[], bool]:
    """Whether a message with these words has come."""
    return lambda: any(words in message for message in messages)


def test_a_search_that_was_cut_short_goes_on(log: InteractionLog, tmp_path: Path) -> None:
    messages: list[str] = []
    kept = tmp_path / "checkpoints"
    with pytest.raises(JobStopped):
        search(
            log,
            tmp_path / "a",
            hpo(4),
            "aws-sims",
            checkpoints=kept,
            on_progress=lambda step: messages.append(step.message),
            should_stop=stops_at("trial 3 of 4", messages),
        )
    messages.clear()
    resumed = search(
        log,
        tmp_path / "b",
        hpo(4),
        "aws-sims",
        checkpoints=kept,
        on_progress=lambda step: messages.append(step.message),
    )
    assert not any(message.startswith(("trial 1", "trial 2")) for message in messages)
    whole = search(log, tmp_path / "c", hpo(4), "aws-sims")
    assert resumed.outcome.manifest["search"] == whole.outcome.manifest["search"]


def test_other_data_start_a_study_of_their_own(log: InteractionLog, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoints"
    search(log, tmp_path / "a", hpo(2), "aws-sims", checkpoints=kept)
    messages: list[str] = []
    search(
        log,
        tmp_path / "b",
        hpo(2),
        "aws-sims",
        checkpoints=kept,
        seed=1,
        on_progress=lambda step: messages.append(step.message),
    )
    assert any(message.startswith("trial 1 of 2") for message in messages)


def test_progress_goes_up_to_one_and_tells_the_time_left(log: InteractionLog, folder: Path) -> None:
    steps: list[Progress] = []
    search(log, folder, hpo(2), "aws-sims", on_progress=steps.append)
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    told = [step for step in steps if step.message.startswith("trial 2 of 2") and "best so far" in step.message]
    assert all(step.seconds_left is not None for step in told)
    assert told


@pytest.mark.usefixtures("one_epoch")
def test_automl_takes_the_recipe_with_the_best_metric(log: InteractionLog, folder: Path) -> None:
    request = {"performAutoML": True, "solutionConfig": {"autoMLConfig": {"metricName": "precision_at_10"}}}
    found = search(log, folder, request, "aws-popularity-count", "aws-user-personalization-v2")
    told = found.outcome.manifest["search"]["automl"]
    assert told["metric"] == "precision_at_10"
    assert told["candidates"]["aws-popularity-count"] < told["candidates"]["aws-user-personalization-v2"]
    assert found.recipe.name == told["best"] == "aws-user-personalization-v2"
    assert found.outcome.manifest["recipe"] == found.recipe.arn


def test_automl_tunes_what_it_has_chosen(log: InteractionLog, folder: Path) -> None:
    found = search(log, folder, {**hpo(2), "performAutoML": True}, "aws-sims", "aws-vod-because-you-watched-x")
    assert set(found.outcome.manifest["search"]) >= {"automl"}
    assert bool(found.tuned) == (found.recipe.name == "aws-sims")


def test_automl_leaves_alone_what_cannot_be_tuned(log: InteractionLog, folder: Path) -> None:
    found = search(log, folder, {**hpo(2), "performAutoML": True}, "aws-popularity-count")
    assert found.tuned == {}
    assert "hpo" not in found.outcome.manifest["search"]
