"""What a campaign or recommender serves: its recipe, its configuration and its artifact, kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from matinee.control import records
from matinee.control.context import Caller
from matinee.control.records import Resource
from matinee.errors import InvalidInput, ResourceNotFound
from matinee.recipes.catalogue import Call, Recipe, find
from matinee.serving.freshness import FreshCache, View
from matinee.storage.objects import ObjectStore
from matinee.training.artifact import Artifact

#: Deployments kept in memory; the artifacts behind them are memory-mapped.
MOST_DEPLOYMENTS = 256
_GOING = ("DELETE PENDING", "DELETE IN_PROGRESS")


@dataclass(frozen=True, eq=False)
class Deployment:
    """What answers the calls to one ARN. `config` is the campaign's or recommender's configuration in force.

    `version` tells one state of the resource from the next.
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
        if previous is not None and previous.version == _version(row, model):
            return previous
        return self._deployment(row, model)

    def _deployment(self, row: Resource, model: Resource) -> Deployment:
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
            version=_version(row, model),
        )

    def _open(self, prefix: str) -> Artifact:
        """The artifact under a key prefix, opened once however many campaigns serve it. Loads the model."""
        with self._opening:
            artifact = self._artifacts.get(prefix)
            if artifact is None:
                artifact = Artifact.open(self._objects.local(prefix))
                _ = artifact.model
                self._artifacts[prefix] = artifact
            return artifact


def _version(row: Resource, model: Resource) -> tuple[object, ...]:
    return (row.seq, row.updated_at, model.seq, model.private.get("artifact"))
