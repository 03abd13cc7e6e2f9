"""Training again what a model card describes, and holding the outcome against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from matinee.errors import ArtifactProblem, DataProblem
from matinee.models.base import FitOptions
from matinee.models.transformer.device import missing_device
from matinee.recipes.catalogue import find
from matinee.recipes.models import plan_model
from matinee.recipes.recipe import Method
from matinee.training.action_data import ActionData
from matinee.training.action_version import train_actions
from matinee.training.affinity_version import train_affinity
from matinee.training.card import model_files, versions
from matinee.training.catalogue import with_catalogue, with_trained_columns
from matinee.training.semantic_version import train_semantic
from matinee.training.snapshot import Snapshot
from matinee.training.solution_version import TrainingOutcome, train_version


def retrain(
    card: Mapping[str, Any],
    snapshot: Snapshot,
    out: Path,
    options: FitOptions | None = None,
    *,
    actions: ActionData | None = None,
) -> TrainingOutcome:
    """Train into `out` what `card` describes: the same recipe, parameters, seed, threads, device and arithmetic.

    `snapshot` must hold the data that the card's training saw; a recipe of actions needs `actions` too. Raises
    `DataProblem` when the data differ or the device is not there, and `ArtifactProblem`, naming the files and what
    else is different, when the model that comes out is not the card's to the last bit.
    """
    _check_data(card, snapshot)
    options = replace(options or FitOptions(), **_run(card["training"]))
    recipe, config = find(card["recipe"]), card["solution_config"]
    if recipe.method is Method.AFFINITY:
        outcome = train_affinity(snapshot, recipe, config, out, options)
    elif recipe.method is Method.SEMANTICS:
        sentences = card["model"]["config"].get("sentences")
        read = replace(options, sentences=None if sentences is None else Path(sentences))
        outcome = train_semantic(snapshot, recipe, config, out, read)
    elif recipe.method is Method.ACTIONS:
        if actions is None:
            raise DataProblem(f"{recipe.name} needs the actions of its dataset group.", fix="Give them too.")
        outcome = train_actions(snapshot, actions, recipe, config, out, options)
    else:
        outcome = train_version(snapshot, recipe, config, out, options)
    _check_same(card, outcome)
    return outcome


def _run(training: Mapping[str, Any]) -> dict[str, Any]:
    """What a card says that a fit's options were; raises `DataProblem` when its device is not there."""
    reason = missing_device(training["device"])
    if reason is not None:
        raise DataProblem(
            f"The card's model was trained on {training['device']!r}, which is not there: {reason}.",
            fix="Train again on a machine that has it.",
        )
    # A card that does not tell of bfloat16 and compilation is older than both.
    told = {name: training.get(name, False) for name in ("bfloat16", "compiled")}
    return {**told, **{name: training[name] for name in ("seed", "threads", "device")}}


def _check_data(card: Mapping[str, Any], snapshot: Snapshot) -> None:
    """Raise `DataProblem` unless the data, as the card's training reads them, are those that it read."""
    recipe, config = find(card["recipe"]), card["solution_config"]
    if recipe.method not in (Method.AFFINITY, Method.ACTIONS):
        if recipe.method is not Method.SEMANTICS:
            snapshot = with_trained_columns(snapshot, config)
        if plan_model(recipe, config).whole_catalogue:
            snapshot = with_catalogue(snapshot)
    if snapshot.fingerprint != card["data"]["sha256"]:
        raise DataProblem(
            f"The data are not those of the card: SHA-256 {snapshot.fingerprint}, not {card['data']['sha256']}.",
            fix="Train from the data as they were then; events and imports since have changed them.",
        )


def _check_same(card: Mapping[str, Any], outcome: TrainingOutcome) -> None:
    """Raise `ArtifactProblem` unless the model's files are the card's."""
    now, then = model_files(outcome.manifest), card["files"]
    different = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    if not different:
        return
    installed = versions()
    changed = [
        f"{package} {version}, now {installed.get(package, 'not installed')}"
        for package, version in card["versions"].items()
        if installed.get(package) != version
    ]
    because = f" The card was made with {'; '.join(changed)}." if changed else ""
    raise ArtifactProblem(f"Training again gave other files than the card's: {', '.join(different)}.{because}")
