"""A training that first looks for what to train: AutoML compares recipes, HPO tunes the parameters of one.

Both measure on a validation part: users who are taken out of the part that the version's own metrics train on. The
users whom those metrics ask about have no say in what is chosen.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from matinee.evaluation.splits import personalize
from matinee.models.base import FitOptions, Progress
from matinee.recipes.automl import deciding_metric
from matinee.recipes.models import plan_model
from matinee.recipes.parameters import Value
from matinee.recipes.recipe import Place, Recipe
from matinee.recipes.tuning import Search, on_the_wire, plan_search
from matinee.training.catalogue import with_catalogue, with_trained_columns
from matinee.training.fitting import Given
from matinee.training.progress import PhasedProgress
from matinee.training.snapshot import Snapshot
from matinee.training.solution_version import TrainingOutcome, evaluate_plan, train_version

#: What HPO makes as high as it can; the service does not document its own measure.
TUNED_FOR = "normalized_discounted_cumulative_gain_at_10"
_CHOOSE, _TUNE, _TRAIN = "choose", "tune", "train"
#: Draws of held-out users that a trial is measured on where a fit costs seconds: one alone is noisy.
_DRAWS = 5
#: A version takes two fits, one for its metrics and one to deploy.
_FITS = 2.0


@dataclass(frozen=True)
class Found:
    """The recipe that was trained, what the training gave (`training_hours` those of the search, too), and the values
    that HPO found, as the wire has them."""

    recipe: Recipe
    outcome: TrainingOutcome
    tuned: Mapping[str, str]


def train_best(
    snapshot: Snapshot,
    recipes: Sequence[Recipe],
    request: Mapping[str, Any],
    out: Path,
    options: FitOptions,
    *,
    parallel: int = 1,
) -> Found:
    """Train the best of `recipes` with the best of its parameters into the folder `out`.

    `request` has the wire's members `performAutoML`, `performHPO` and `solutionConfig`. With several recipes each is
    fitted and the one with the highest `autoMLConfig.metricName` is taken; with `performHPO` its parameters are tuned,
    where it has any that can be. At most `parallel` trials run at a time. Raises as `train_version`.
    """
    config: Mapping[str, Any] = request.get("solutionConfig") or {}
    searches = {recipe.name: _search(recipe, request) for recipe in recipes}
    trials = max(0 if search is None else search.trials for search in searches.values())
    compared = len(recipes) if request.get("performAutoML") else 0
    phases = [(_CHOOSE, float(compared)), (_TUNE, float(trials)), (_TRAIN, _FITS)]
    progress = PhasedProgress(phases, options.on_progress)
    part, seconds, told = training_part(snapshot, options.seed), 0.0, dict[str, Any]()
    recipe = recipes[0]
    if compared:
        started = time.monotonic()
        recipe, told["automl"] = choose(part, recipes, config, progress.options(_CHOOSE, options))
        seconds += time.monotonic() - started
    tuned: Mapping[str, str] = {}
    search = searches[recipe.name]
    if search is not None:
        from matinee.training.tuning import tune

        candidate = _Candidate.of(part, recipe, config)
        own = _with_own_checkpoints(progress.options(_TUNE, options), candidate, config, search)
        found = tune(search, _Objective(candidate, config), own, parallel=parallel)
        tuned, told["hpo"] = found.parameters, {"metric": TUNED_FOR, **found.describe()}
        seconds += found.seconds
    config = _tuned(config, tuned)
    outcome = train_version(snapshot, recipe, config, out, progress.options(_TRAIN, options), search=told)
    hours = round(outcome.training_hours + seconds / 3600, 3)
    return Found(recipe, replace(outcome, training_hours=hours), tuned)


def training_part(snapshot: Snapshot, seed: int) -> Snapshot:
    """The snapshot without the users on whom the version's metrics will be measured."""
    train = personalize(snapshot.log.interactions, seed).train
    return replace(snapshot, log=replace(snapshot.log, interactions=train))


def choose(
    part: Snapshot, recipes: Sequence[Recipe], config: Mapping[str, Any], options: FitOptions
) -> tuple[Recipe, dict[str, Any]]:
    """The recipe with the highest deciding metric on `part`, the first of equals; and what the manifest tells of it."""
    metric = deciding_metric(config)
    progress = PhasedProgress([(recipe.name, 1.0) for recipe in recipes], options.on_progress)
    measured: dict[str, float] = {}
    best = ""
    for number, recipe in enumerate(recipes, 1):
        so_far = f"; best so far {best} with {measured[best]:.4f}" if best else ""
        progress.start(recipe.name, f"candidate {number} of {len(recipes)}: {recipe.name}{so_far}")
        candidate = _Candidate.of(part, recipe, config)
        measured[recipe.name] = candidate.measured(config, metric, progress.options(recipe.name, options))
        best = max(measured, key=lambda name: measured[name])
        progress.report(recipe.name, Progress(1.0, f"{recipe.name} reached {measured[recipe.name]:.4f}"))
    chosen = next(recipe for recipe in recipes if recipe.name == best)
    return chosen, {"metric": metric, "candidates": measured, "best": best}


@dataclass(frozen=True)
class _Candidate:
    """A recipe with what its fits are given, and the part that they are measured on."""

    recipe: Recipe
    part: Snapshot
    given: Given

    @classmethod
    def of(cls, part: Snapshot, recipe: Recipe, config: Mapping[str, Any]) -> Self:
        """`config` is the solution's; raises as `Given.of`."""
        part = with_trained_columns(part, config)
        if plan_model(recipe, config).whole_catalogue:
            part = with_catalogue(part)
        return cls(recipe, part, Given.of(part, config))

    def measured(self, config: Mapping[str, Any], metric: str, options: FitOptions, splits: int = 1) -> float:
        """The metric of a fit with `config`, as the mean over so many draws of users who are held out."""
        plan = plan_model(self.recipe, config)
        draws = [str(draw) for draw in range(splits)]
        progress = PhasedProgress([(draw, 1.0) for draw in draws], options.on_progress)
        total = 0.0
        for number, draw in enumerate(draws):
            own = replace(progress.options(draw, options), seed=options.seed + number)
            total += evaluate_plan(self.part, plan, own, self.given).metrics[metric]
        return round(total / splits, 6)


@dataclass(frozen=True)
class _Objective:
    """What a study makes as high as it can: the metric of a recipe fitted with the values of a trial."""

    candidate: _Candidate
    config: Mapping[str, Any]

    def __call__(self, values: Mapping[str, Value], options: FitOptions) -> float:
        config = _tuned(self.config, {name: on_the_wire(value) for name, value in values.items()})
        cheap = plan_model(self.candidate.recipe, config).cheap
        return self.candidate.measured(config, TUNED_FOR, options, _DRAWS if cheap else 1)


def _search(recipe: Recipe, request: Mapping[str, Any]) -> Search | None:
    """The study of a recipe; None when none is asked for, or there is nothing to look for."""
    if not request.get("performHPO"):
        return None
    search = plan_search(recipe, request.get("solutionConfig") or {})
    return search if search.ranges else None


def _tuned(config: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """`solutionConfig` with what HPO found."""
    return {**config, "tunedHPOParams": {Place.ALGORITHM.value: dict(values)}} if values else dict(config)


def _with_own_checkpoints(
    options: FitOptions, candidate: _Candidate, config: Mapping[str, Any], search: Search
) -> FitOptions:
    """`options` with a folder that belongs to this study alone: trials on other data say nothing of these."""
    if options.checkpoints is None:
        return options
    part, ranges = candidate.part, [[one.name, one.low, one.high, list(one.choices)] for one in search.ranges]
    data = [part.fingerprint, part.catalogue, part.selection.describe(), candidate.given.describe()]
    identity = [*data, candidate.recipe.name, asdict(plan_model(candidate.recipe, config)), ranges, options.seed]
    name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    return replace(options, checkpoints=options.checkpoints / name)
