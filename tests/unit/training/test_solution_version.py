"""Training a solution version end to end on a small log: metrics, artifact, determinism, stopping and going on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.training.generated import START, generated_log

from matinee.data.interactions import Histories, InteractionLog, Interactions
from matinee.data.log import creation_timestamps, load_items, load_users
from matinee.errors import JobFailed, JobStopped
from matinee.models.base import FitOptions, Progress
from matinee.recipes.catalogue import RECIPES, find
from matinee.recipes.recipe import Recipe
from matinee.training import solution_version
from matinee.training.artifact import Artifact
from matinee.training.selection import Selection
from matinee.training.snapshot import Snapshot
from matinee.training.solution_version import TrainingOutcome, train_version

KEYS = {
    "coverage",
    "mean_reciprocal_rank_at_25",
    "normalized_discounted_cumulative_gain_at_5",
    "normalized_discounted_cumulative_gain_at_10",
    "normalized_discounted_cumulative_gain_at_25",
    "precision_at_5",
    "precision_at_10",
    "precision_at_25",
}
MAIN_PATH = ["aws-popularity-count", "aws-sims", "aws-user-personalization-v2"]


def snapshot_of(log: InteractionLog, catalogue: int | None = None) -> Snapshot:
    """A snapshot of a log without item and user records."""
    return Snapshot(
        log=log,
        items=load_items([]),
        users=load_users([]),
        created=creation_timestamps(log, None),
        catalogue=catalogue or len(log.item_ids),
        selection=Selection(),
    )


def train(
    log: InteractionLog, recipe: str, folder: Path, config: Mapping[str, Any] | None = None, **options: Any
) -> TrainingOutcome:
    """One training of a recipe by name."""
    return train_version(snapshot_of(log), find(recipe), config or {}, folder, FitOptions(**options))


@dataclass(frozen=True)
class Trained:
    """A training that several tests look at."""

    recipe: str
    folder: Path
    outcome: TrainingOutcome
    steps: list[Progress]


@pytest.fixture(scope="module", params=MAIN_PATH)
def trained(request: pytest.FixtureRequest, log: InteractionLog, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One training of each recipe of the main path, with the default seed."""
    folder, steps = tmp_path_factory.mktemp("trained"), list[Progress]()
    return Trained(request.param, folder, train(log, request.param, folder, on_progress=steps.append), steps)


def test_the_metrics_have_the_services_names_and_four_decimals(trained: Trained) -> None:
    metrics = trained.outcome.metrics
    assert set(metrics) == KEYS
    assert all(0 <= value <= 1 and round(value, 4) == value for value in metrics.values())


def test_the_artifact_serves_every_user_and_item(log: InteractionLog, trained: Trained) -> None:
    artifact = Artifact.open(trained.folder)
    scores = artifact.model.score(artifact.user_history("u3").as_histories())
    assert scores.shape == (1, 80)
    assert np.isfinite(scores[0, np.unique(log.interactions.item)]).all()


def test_progress_goes_up_to_one(trained: Trained) -> None:
    fractions = [step.fraction for step in trained.steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert trained.steps[-1].metrics["coverage"] > 0


def test_the_same_seed_writes_the_same_files(log: InteractionLog, trained: Trained, folder: Path) -> None:
    again = train(log, trained.recipe, folder)
    assert again.manifest["files"] == trained.outcome.manifest["files"]
    assert again.metrics == trained.outcome.metrics


def test_a_training_goes_on_where_it_stopped(log: InteractionLog, trained: Trained, tmp_path: Path) -> None:
    messages: list[str] = []
    kept = tmp_path / "checkpoints"
    with pytest.raises(JobStopped):
        train(
            log,
            trained.recipe,
            tmp_path / "a",
            checkpoints=kept,
            on_progress=lambda step: messages.append(step.message),
            should_stop=lambda: any("fitting on all users" in one for one in messages),
        )
    assert any("fitting on 90% of users" in one for one in messages)
    messages.clear()
    resumed = train(
        log,
        trained.recipe,
        tmp_path / "b",
        checkpoints=kept,
        on_progress=lambda step: messages.append(step.message),
    )
    assert not any("fitting on 90% of users" in one for one in messages)
    assert resumed.metrics == trained.outcome.metrics
    assert resumed.manifest["files"] == trained.outcome.manifest["files"]


def test_another_seed_holds_out_other_users(log: InteractionLog, tmp_path: Path) -> None:
    first, second = (train(log, "aws-sims", tmp_path / str(seed), seed=seed).metrics for seed in (0, 1))
    assert first != second


def test_a_personal_model_learns_the_two_tastes(trained: Trained) -> None:
    artifact = Artifact.open(trained.folder)
    scores = artifact.model.score(Histories.one(np.array([41], np.int32), np.array([START])))[0]
    own, other = np.delete(scores[40:], 1), scores[:40]
    learned = np.median(own[np.isfinite(own)]) > np.median(other[np.isfinite(other)])
    assert learned or not artifact.model.personal


@pytest.mark.parametrize("recipe", [recipe for recipe in RECIPES if not recipe.trainable], ids=lambda r: r.name)
def test_a_recipe_that_cannot_be_trained_fails_with_the_reason(
    log: InteractionLog, folder: Path, recipe: Recipe
) -> None:
    with pytest.raises(JobFailed, match=recipe.name):
        train(log, recipe.name, folder)


def test_the_manifest_says_what_was_trained(log: InteractionLog, folder: Path) -> None:
    manifest = train(log, "aws-sims", folder, {"algorithmHyperParameters": {"min_cointeraction_count": "1"}}).manifest
    assert manifest["recipe"] == "arn:aws:personalize:::recipe/aws-sims"
    assert manifest["model"]["config"]["min_cointeraction_count"] == 1
    assert manifest["data"]["interactions"] == 1500
    assert manifest["fitted_on"] == "all users"
    assert manifest["evaluation"]["protocol"] == "personalize"
    assert manifest["evaluation"]["asked_with"] == "newest item"


def test_seen_items_are_left_out_where_nobody_returns(log: InteractionLog, folder: Path) -> None:
    evaluation = train(log, "aws-popularity-count", folder).manifest["evaluation"]
    assert evaluation["exclude_seen"] is True
    assert evaluation["repeats"] == 0


def test_seen_items_count_where_users_return(log: InteractionLog, folder: Path) -> None:
    data = log.interactions
    twice = Interactions.of(
        np.tile(data.user, 2),
        np.tile(data.item, 2),
        np.concatenate([data.timestamp, data.timestamp + 10**8]),
        n_users=data.n_users,
        n_items=data.n_items,
    )
    again = InteractionLog(twice, log.user_ids, log.item_ids, ())
    evaluation = train(again, "aws-popularity-count", folder).manifest["evaluation"]
    assert evaluation["exclude_seen"] is False
    assert evaluation["repeats"] == 0.5


def test_coverage_counts_items_that_nobody_has_touched(log: InteractionLog, tmp_path: Path) -> None:
    recipe = find("aws-popularity-count")
    narrow = train_version(snapshot_of(log), recipe, {}, tmp_path / "a", FitOptions())
    wide = train_version(snapshot_of(log, catalogue=160), recipe, {}, tmp_path / "b", FitOptions())
    assert wide.metrics["coverage"] == pytest.approx(narrow.metrics["coverage"] / 2, abs=1e-4)


def test_a_large_log_deploys_the_evaluated_transformer(
    log: InteractionLog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solution_version, "REFIT_LIMIT", 10)
    manifest = train(log, "aws-user-personalization-v2", folder).manifest
    assert manifest["fitted_on"] == "90% of users"


@pytest.mark.parametrize("recipe", MAIN_PATH)
@pytest.mark.parametrize("questions", [0, 3])
def test_a_training_that_is_stopped_writes_no_manifest(
    log: InteractionLog, folder: Path, recipe: str, questions: int
) -> None:
    asked = iter(range(1000))
    with pytest.raises(JobStopped):
        train(log, recipe, folder, should_stop=lambda: next(asked) >= questions)
    assert not (folder / "manifest.json").exists()


def test_changed_data_start_anew(log: InteractionLog, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoints"
    train(log, "aws-sims", tmp_path / "a", checkpoints=kept)
    other = generated_log(seed=1)
    resumed = train(other, "aws-sims", tmp_path / "b", checkpoints=kept)
    assert resumed.metrics == train(other, "aws-sims", tmp_path / "c").metrics
