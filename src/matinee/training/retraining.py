"""Training again what a model card describes, and holding the outcome against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from matinee.errors import ArtifactProblem, DataProblem
from matinee.models.base import FitOptions
from matinee.recipes.catalogue import find
from matinee.recipes.recipe import Method
from matinee.training.action_data import ActionData
from matinee.training.action_version import train_actions
from matinee.training.affinity_version import train_affinity
from matinee.training.card import model_files, versions
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
    """Train into `out` what `card` describes: the same recipe, parameters, seed, threads and device.

    `snapshot` must hold the data that the card's training saw; a recipe of actions needs `actions` too. Raises
    `DataProblem` when the data differ, and `ArtifactProblem`, naming the files and what else is different, when the
    model that comes out is not the card's to the last bit.
    """
    if snapshot.fingerprint != card["data"]["sha256"]:
        raise DataProblem(
            f"The data are not those of the card: SHA-256 {snapshot.fingerprint}, not {card['data']['sha256']}.",
            fix="Train from the data as they were then; events and imports since have changed them.",
        )
    run = card["training"]
    options = replace(options or FitOptions(), seed=run["seed"], threads=run["threads"], device=run["device"])
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
