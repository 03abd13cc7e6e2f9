"""What a campaign or recommender serves: its recipe, its configuration and its artifact, kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakValueDictionary

from matinee.control import records, tagging
from matinee.control.context import Caller
from matinee.control.experiments import running_experiment, versions_of
from matinee.control.records import Resource
from matinee.errors import InvalidInput, ResourceNotFound
from matinee.recipes.catalogue import Call, Recipe, find
from matinee.serving.event_loop import leave_event_loop
from matinee.serving.freshness import FreshCache, View
from matinee.serving.trial import Trial
from matinee.storage.objects import ObjectStore
from matinee.training.artifact import Artifact

#: Deployments kept in memory; the artifacts behind them are memory-mapped.
MOST_DEPLOYMENTS = 256
_GOING = ("DELETE PENDING", "DELETE IN_PROGRESS")


@dataclass(frozen=True, eq=False)
class Deployment:
    """What answers the calls to one ARN. `config` is the campaign's or recommender's configuration in force.

    `version` tells one state of the resource from the next. `incremental`: items that came after the training are
    answered with, too. `model_arn` is the solution version, or the recommender itself; `diversity` in [0, 1] is what
    the resource's tag asks for.
    """

    arn: str
    account: str
    region: str
    status: str
    group_arn: str
    recipe: Recipe
    config: Mapping[str, Any]
    artifact: Artifact | None
    prefix: str | None
    version: tuple[object, ...]
    incremental: bool = False
    model_arn: str = ""
    diversity: float = 0.0
    #: Requests a second that it has for itself.
    reserved: int = 1
    #: The experiment that runs on it; None on the experiment's arms themselves, which are `tried`.
    trial: Trial | None = None
    tried: bool = False

    @property
    def metadata_enabled(self) -> bool:
        """Whether a request may ask for metadata columns."""
        return self.recipe.metadata_free or bool(self.config.get("enableMetadataWithRecommendations"))


class Deployments:
    """Campaigns and recommenders by ARN. A change made by any process is seen by the next call."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._cache: FreshCache[str, Deployment] = FreshCache(self._load, MOST_DEPLOYMENTS)
        self._artifacts: WeakValueDictionary[str, Artifact] = WeakValueDictionary()
        self._opening = threading.Lock()

    def resolve(self, view: View, caller: Caller, arn: str, kind: str, call: Call) -> Deployment:
        """The deployment behind the `kind` (campaign, recommender) with this ARN.

        Raises `ResourceNotFound` when the caller has none of the name, `InvalidInput` when it is not ACTIVE or when its
        recipe does not answer `call`.
        """
        if arn.split(":")[3:5] != [caller.region, caller.account] or not arn.split(":")[5].startswith(f"{kind}/"):
            raise ResourceNotFound.of(arn)
        deployment = self._cache.get(view, arn)
        if deployment.status != "ACTIVE":
            raise InvalidInput(f"{arn} is {deployment.status}; it can be called when it is ACTIVE.")
        if deployment.recipe.call is not call:
            raise InvalidInput(
                f"{arn} uses the recipe {deployment.recipe.name}, which does not support {call}; "
                f"call {deployment.recipe.call}."
            )
        return deployment

    def preload(self, prefix: str) -> Artifact:
        """Open an artifact before a request needs it; it stays open as long as the caller holds it."""
        return self._open(prefix)

    def opened(self) -> tuple[str, ...]:
        """Key prefixes of the artifacts that are open now."""
        return tuple(self._artifacts)

    def artifact(self, deployment: Deployment) -> Artifact:
        """The artifact of an ACTIVE deployment."""
        if deployment.artifact is None:
            raise InvalidInput(f"{deployment.arn} has no trained model.")
        return deployment.artifact

    def _load(self, view: View, arn: str, previous: Deployment | None) -> Deployment:
        """Two indexed reads while nothing has changed; a new version is opened before the first answer from it.

        The model's own row is looked at too: the deletion of users puts another artifact in the place of the old one.
        """
        row = records.find(view.connection, arn)
        if row is None or row.status in _GOING:
            raise ResourceNotFound.of(arn)
        model = row if row.kind == "recommender" else records.find(view.connection, row["solutionVersionArn"])
        if model is None:
            raise InvalidInput(f"The solution version of {arn} does not exist any more.")
        incremental = _is_incremental(view, model)
        diversity = tagging.diversity(view.connection, arn)
        experiment = running_experiment(view.connection, arn) if row.kind == "campaign" else None
        found = [] if experiment is None else [records.find(view.connection, one) for one in versions_of(experiment)]
        models = [one for one in found if one is not None]
        version = (*_version(row, model), incremental, diversity, *(_version(row, one) for one in models))
        if experiment is not None:
            version = (*version, experiment.seq)
        if previous is not None and previous.version == version:
            return previous
        served = self._deployment(row, model, version, incremental=incremental, diversity=diversity)
        if experiment is None or len(models) < len(found) or served.status != "ACTIVE":
            return served
        return replace(served, trial=self._trial(view, row, experiment, models, diversity))

    def _trial(
        self, view: View, row: Resource, experiment: Resource, models: Sequence[Resource], diversity: float
    ) -> Trial:
        """The experiment's arms, each opened as if the campaign served it."""
        arms = []
        for model in models:
            incremental = _is_incremental(view, model)
            version = (*_version(row, model), incremental, diversity, experiment.seq)
            arm = self._deployment(row, model, version, incremental=incremental, diversity=diversity)
            arms.append(replace(arm, tried=True))
        shares = tuple(float(arm["share"]) for arm in experiment["arms"])
        return Trial(experiment["mode"], experiment["salt"], shares, tuple(arms))

    def _deployment(
        self, row: Resource, model: Resource, version: tuple[object, ...], *, incremental: bool, diversity: float
    ) -> Deployment:
        prefix = model.private.get("artifact") if row.status == "ACTIVE" else None
        return Deployment(
            arn=row.arn,
            account=row.account,
            region=row.region,
            status=str(row.status),
            group_arn=model["datasetGroupArn"],
            recipe=find(model["recipeArn"]),
            config=row.attributes.get("campaignConfig") or row.attributes.get("recommenderConfig") or {},
            artifact=None if prefix is None else self._open(prefix),
            prefix=prefix,
            version=version,
            incremental=incremental,
            model_arn=model.arn,
            diversity=diversity,
            reserved=reserved_of(row),
        )

    def _open(self, prefix: str) -> Artifact:
        """The artifact under a key prefix, opened once however many campaigns serve it. Loads the model."""
        found = self._artifacts.get(prefix)
        if found is not None:
            return found
        leave_event_loop()
        with self._opening:
            artifact = self._artifacts.get(prefix)
            if artifact is None:
                artifact = Artifact.open(self._objects.local(prefix))
                _ = artifact.model
                self._artifacts[prefix] = artifact
            return artifact


def reserved_of(row: Resource) -> int:
    """Requests a second that a campaign or recommender has for itself; 1 where nothing is said."""
    config = row.attributes.get("recommenderConfig") or {}
    found = row.attributes.get("minProvisionedTPS") or config.get("minRecommendationRequestsPerSecond") or 1
    return int(found)


def _version(row: Resource, model: Resource) -> tuple[object, ...]:
    return (row.seq, row.updated_at, model.seq, model.private.get("artifact"))


def _is_incremental(view: View, model: Resource) -> bool:
    """Whether the solution of a version, as it is now, wants new items to be taken in between trainings."""
    if model.kind == "recommender" or not find(model["recipeArn"]).incremental_update:
        return False
    solution = records.find(view.connection, model["solutionArn"])
    return solution is not None and bool(solution.attributes.get("performIncrementalUpdate"))
